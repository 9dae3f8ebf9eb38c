const LANES_MAX = 1_000;
const QUICK_MS = 100;
const SLOW_MS = 300;

/**
 * The number of lanes a relay holds for a handler at once. A slow handler holds few: only lanes being tried
 * become suspect when the process dies. A quick handler holds many: few statements for many events.
 */
export class Window {
  readonly #least: number;
  #size: number;

  constructor(places: number) {
    this.#least = places;
    this.#size = places;
  }

  get size(): number {
    return this.#size;
  }

  /** Falls back to a lane for each place. */
  shrink(): void {
    this.#size = this.#least;
  }

  /** Adapts the size to the time from the begin to the end of the slowest hold. */
  adapt(heldMs: number): void {
    if (heldMs > SLOW_MS) this.#size = Math.max(this.#least, Math.floor(this.#size / 2));
    if (heldMs < QUICK_MS) this.#size = Math.min(LANES_MAX, this.#size * 2);
  }
}
