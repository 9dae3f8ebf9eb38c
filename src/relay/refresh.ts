import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import { isOverTimeLimit, isUnavailable } from "../errors.ts";
import { getLogger } from "../logging.ts";
import type { RecordedEvent } from "../write/event.ts";
import { listEventsAt } from "./events.ts";
import type { ReadModelSubscription } from "./subscription.ts";

const REST_MS_MIN = 1_000;
const REST_MS_MAX = 60_000;

const logger = getLogger("cqrs.relay");

/**
 * Gives a read model the next batch and returns the number of handled events. A failing read model rests for a
 * while.
 * @throws {DatabaseUnavailable} If the database is away, or another error with the same meaning.
 */
export async function refresh(
  db: Database,
  { name, handle }: ReadModelSubscription,
  from: number,
  events: RecordedEvent[],
): Promise<number> {
  const to = events.at(-1)?.position;
  if (to === undefined) return 0;
  return await restAfterFailure(db, { name, position: from }, async () => {
    const reached = await handle(db, { from, to, events });
    return reached === null ? 0 : reached - from;
  });
}

/** Tries events again that were set aside for a read model at a position. Returns the number of events shown now. */
export async function retrySetAside(
  db: Database,
  { name, handleSetAside }: ReadModelSubscription,
  position: number,
  setAside: number[],
): Promise<number> {
  if (setAside.length === 0) return 0;
  const retry = async () => await handleSetAside(db, await listEventsAt(db, setAside));
  return await restAfterFailure(db, { name, position }, retry);
}

/**
 * Does the work of a subscription and returns the result. After a failure, the subscription rests, and the
 * result is 0.
 * @throws {DatabaseUnavailable} If the database is away, or another error with the same meaning.
 */
export async function restAfterFailure(
  db: Database,
  subscription: { readonly name: string; readonly position: number },
  work: () => Promise<number>,
): Promise<number> {
  const startedAt = performance.now();
  try {
    return await work();
  } catch (error) {
    if (isUnavailable(error) && !isOverTimeLimit(error)) throw error;
    const { name, position } = subscription;
    const { message } = error as Error;
    logger.error("Cannot handle the events after {position} for {name}: {message}", {
      position,
      name,
      message,
    });
    await recordFailure(db, name, position, message, performance.now() - startedAt);
    return 0;
  }
}

/**
 * Stores the error of a subscription and lets the subscription rest nine times as long as the try took, from a
 * second to a minute. Does nothing when another relay has moved the checkpoint.
 */
export async function recordFailure(
  db: Database,
  subscription: string,
  position: number,
  message: string,
  tookMs: number,
): Promise<void> {
  const restMs = Math.min(REST_MS_MAX, Math.max(REST_MS_MIN, Math.round(9 * tookMs)));
  const call = sql`relay.record_failure(${subscription}, ${position}, ${message}, ${restMs})`;
  await db.selectNoFrom(call.as("recorded")).execute();
}
