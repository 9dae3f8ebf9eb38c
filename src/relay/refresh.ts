import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import { isUnavailable } from "../errors.ts";
import { getLogger } from "../logging.ts";
import type { RecordedEvent } from "../write/event.ts";
import type { ReadModelSubscription } from "./subscription.ts";

const REST_MS_MIN = 1_000;

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
  return await restAfterFailure(
    db,
    { name, position: from },
    async () => await handle(db, { from, to, events }) ? events.length : 0,
  );
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
    if (isUnavailable(error)) throw error;
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
 * Stores the error of a subscription and lets the subscription rest nine times as long as the try took, at
 * least a second. Does nothing when another relay has moved the checkpoint.
 */
export async function recordFailure(
  db: Database,
  subscription: string,
  position: number,
  message: string,
  tookMs: number,
): Promise<void> {
  const restMs = Math.max(REST_MS_MIN, Math.round(9 * tookMs));
  await db.updateTable("relay.checkpoints")
    .set({
      last_error: message,
      rests_until: sql<Date>`clock_timestamp() + ${restMs} * interval '1 millisecond'`,
    })
    .where("subscription", "=", subscription).where("position", "=", position)
    .execute();
}
