import { sleep } from "../../sleep.ts";

/** A signal to wait for. A ring without a waiter is kept for the next wait. */
export interface Bell {
  ring(): void;
  /** Ends at a ring, when the time is up, or when the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export function createBell(): Bell {
  let rung = new AbortController();
  return {
    ring: () => rung.abort(),
    async wait(ms, signal) {
      // Not AbortSignal.any: `signal` lives as long as the relay, and would remember every combination.
      await sleep(ms, rung.signal, signal);
      if (rung.signal.aborted) rung = new AbortController();
    },
  };
}
