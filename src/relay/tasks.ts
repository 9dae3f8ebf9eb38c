import { sleep } from "../sleep.ts";

/** Work that goes on side by side, one at a time under each name. */
export class Tasks {
  readonly #running = new Map<string, Promise<void>>();
  #sum = 0;
  #errors: unknown[] = [];
  #awaited: string[] = [];
  /** Called when one ends that nobody waits for, and has done something: there may be more. */
  onLateEnd = () => {};

  has(name: string): boolean {
    return this.#running.has(name);
  }

  /** Begins to work. What it answers, or throws, is for the next `collect`. */
  start(name: string, work: () => Promise<number>): void {
    const running = work().then((count) => {
      this.#sum += count;
      return count > 0 && !this.#awaited.includes(name);
    }, (error) => {
      this.#errors.push(error);
      return false;
    }).then((isNews) => {
      this.#running.delete(name);
      if (isNews) this.onLateEnd();
    });
    this.#running.set(name, running);
  }

  /** Waits until those named have ended, but not longer than so many milliseconds. */
  async wait(names: string[], ms: number): Promise<void> {
    this.#awaited = names;
    const ended = new AbortController();
    const running = names.flatMap((name) => this.#running.get(name) ?? []);
    await Promise.race([Promise.all(running), sleep(ms, ended.signal)]);
    ended.abort();
    this.#awaited = [];
  }

  async waitForAll(ms: number): Promise<void> {
    await this.wait([...this.#running.keys()], ms);
  }

  /** The sum of what has been answered since the last time. @throws what one has thrown since then. */
  collect(): number {
    const [sum, error] = [this.#sum, this.#errors[0]];
    this.#sum = 0;
    this.#errors = [];
    if (error !== undefined) throw error;
    return sum;
  }
}
