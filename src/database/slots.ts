import { DatabaseUnavailable } from "../errors.ts";

export interface Slots {
  /**
   * Waits for its turn; who has waited longest is first. Answers how to give the slot back.
   * @throws {DatabaseUnavailable} If too many wait already: at once; or if its turn has not come in time.
   */
  take(deadlineMs: number): Promise<() => void>;
}

/** So many at a time, and so many who wait: more would only wait in vain, and take memory while they do. */
export function createSlots(max: number, waitingMax: number): Slots {
  const waiting = new Set<() => void>();
  let free = max;
  const giveBack = () => {
    const [next] = waiting;
    if (!next) return void free++;
    waiting.delete(next);
    next();
  };

  function wait(deadlineMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const onTurn = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.delete(onTurn);
        reject(
          new DatabaseUnavailable(`Cannot get a connection to the database: ${deadlineMs} ms have passed`),
        );
      }, deadlineMs);
      waiting.add(onTurn);
    });
  }

  return {
    async take(deadlineMs) {
      if (free === 0 && waiting.size >= waitingMax) {
        throw new DatabaseUnavailable(`Cannot get a connection to the database: ${waiting.size} others wait`);
      }
      if (free > 0) free--;
      else await wait(deadlineMs);
      let taken = true;
      return () => {
        if (taken) giveBack();
        taken = false;
      };
    },
  };
}
