import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import { isUnavailable } from "../errors.ts";
import { getLogger } from "../logging.ts";
import type { RecordedEvent } from "../write/event.ts";
import type { Subscription } from "./subscription.ts";

const REST_MS_MIN = 1_000;

const logger = getLogger("cqrs.relay");

/**
 * Gives a subscription the next batch and returns the number of handled events. A failing subscription rests
 * for a while.
 * @throws {DatabaseUnavailable} If the database is away, or another error with the same meaning.
 */
export async function handOut(
  db: Database,
  subscription: Subscription,
  from: number,
  page: RecordedEvent[],
  stopping?: AbortSignal,
): Promise<number> {
  const events = page.slice(0, subscription.batchMax);
  const to = events.at(-1)?.position;
  if (to === undefined) return 0;
  const startedAt = performance.now();
  try {
    return await subscription.handle(db, { from, to, events }, stopping) ? events.length : 0;
  } catch (error) {
    if (isUnavailable(error)) throw error;
    const { name } = subscription;
    const { message } = error as Error;
    logger.error("Cannot handle events {from} to {to} for {name}: {message}", {
      from: from + 1,
      to,
      name,
      message,
    });
    await recordFailure(db, name, from, message, performance.now() - startedAt);
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
