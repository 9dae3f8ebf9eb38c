const PAUSE_MS = 2_000;
const PAUSE_EVERY_MS = 10_000;

/**
 * Lets the tries of a process begin. An event that may have killed three relays is tried alone in the process:
 * if the process dies again, no other event is to blame.
 */
export class Gate {
  #tries = 0;
  #isAlone = false;
  #pausedAt = -Infinity;
  /** Called when waiting tries may begin. */
  onOpen = () => {};

  get isOpen(): boolean {
    return !this.#isAlone && performance.now() - this.#pausedAt > PAUSE_MS;
  }

  begin(): void {
    this.#tries++;
  }

  end(): void {
    this.#tries--;
    this.#isAlone = false;
    this.onOpen();
  }

  /**
   * Returns true if nothing else is being tried, and closes the gate until the next `end`. Otherwise lets no try
   * begin for two seconds: a try that hangs must not stop all others for longer.
   */
  enterAlone(): boolean {
    if (this.#isAlone) return false;
    if (this.#tries === 0) return this.#isAlone = true;
    if (performance.now() - this.#pausedAt > PAUSE_EVERY_MS) this.#pausedAt = performance.now();
    return false;
  }

  /** Opens the gate without a try: nothing was to be tried alone. */
  leave(): void {
    this.#isAlone = false;
    this.#pausedAt = -Infinity;
    this.onOpen();
  }
}
