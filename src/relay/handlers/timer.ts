import { getLogger } from "../../logging.ts";

/** Work that becomes due by the clock of the database instead of by an event: a time limit that has passed, say. */
export interface Timer {
  name: string;
  /** Does the work that is due, in effect once however often and by however many relays it is called. */
  fire(): Promise<void>;
}

const logger = getLogger("cqrs.relay");

/** Fires every timer. A timer that fails does not keep the others from their work, and is fired again the next time. */
export async function fireTimers(timers: Timer[]): Promise<void> {
  await Promise.all(timers.map(async ({ name, fire }) => {
    try {
      await fire();
    } catch (error) {
      logger.error("Cannot do what is due for {name}: {message}", {
        name,
        message: (error as Error).message,
      });
    }
  }));
}
