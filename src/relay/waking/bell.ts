import { sleep } from "../../sleep.ts";

/** Something to wait for. A ring that nobody is waiting for is kept for the next one who does. */
export interface Bell {
  ring(): void;
  /** Ends when it rings, when the time is up, or when the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export function createBell(): Bell {
  let rung = new AbortController();
  return {
    ring: () => rung.abort(),
    async wait(ms, signal) {
      // Not AbortSignal.any: each would be remembered by a signal that lives as long as the relay.
      await sleep(ms, rung.signal, signal);
      if (rung.signal.aborted) rung = new AbortController();
    },
  };
}
