import { getLogger } from "../../logging.ts";

/** Work made due by the clock of the database instead of by an event, for example by a time limit. */
export interface Timer {
  name: string;
  /** Does the due work: in effect once, however often and by however many relays `fire` is called. */
  fire(): Promise<void>;
}

const logger = getLogger("cqrs.relay");

/** Fires every timer. A failing timer does not stop the others, and is fired again the next time. */
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
