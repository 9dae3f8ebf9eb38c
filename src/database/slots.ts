import { DatabaseUnavailable } from "../errors.ts";

export interface Slots {
  /**
   * Waits for a slot, first come, first served. Returns a function to give the slot back.
   * @throws {DatabaseUnavailable} If too many callers wait already: at once; or if no slot was free in time.
   */
  take(deadlineMs: number): Promise<() => void>;
}

/** Returns `max` slots. At most `waitingMax` callers wait: more would wait in vain, and take memory. */
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
