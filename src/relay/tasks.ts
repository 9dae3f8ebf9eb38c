import { sleep } from "../sleep.ts";

/** Named tasks running side by side. Callers ask `has` before `start`: a name has at most a single task. */
export class Tasks {
  readonly #running = new Map<string, Promise<void>>();
  #sum = 0;
  #errors: unknown[] = [];
  #awaited: string[] = [];
  /** Called at the end of a task with a count above 0, unless `wait` waits for the task: look for more. */
  onLateEnd = () => {};

  has(name: string): boolean {
    return this.#running.has(name);
  }

  /** Starts a task. The next `collect` returns the count, or throws the error. */
  start(name: string, work: () => Promise<number>): void {
    const running = work().then((count) => {
      this.#sum += count;
      return count > 0 && !this.#awaited.includes(name);
    }, (error) => {
      this.#errors.push(error);
      return false;
    }).then((isNews) => {
      // The same name may have begun again.
      if (this.#running.get(name) === running) this.#running.delete(name);
      if (isNews) this.onLateEnd();
    });
    this.#running.set(name, running);
  }

  /** Counts events while the work goes on. The next `collect` returns the sum. */
  add(events: number): void {
    this.#sum += events;
  }

  /** Waits until the named tasks have ended, at most `ms` milliseconds. */
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

  /** Returns the sum of the counts since the last call. @throws The first error since the last call. */
  collect(): number {
    const [sum, error] = [this.#sum, this.#errors[0]];
    this.#sum = 0;
    this.#errors = [];
    if (error !== undefined) throw error;
    return sum;
  }
}
