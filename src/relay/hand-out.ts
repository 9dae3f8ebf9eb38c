import type { Database } from "../database/database.ts";
import { isUnavailable } from "../errors.ts";
import { getLogger } from "../log.ts";
import type { RecordedEvent } from "../write/event.ts";
import { recordFailure } from "./checkpoint.ts";
import type { Subscription } from "./subscription.ts";

const logger = getLogger("cqrs.relay");

/**
 * Gives a subscription its next batch; answers how many events it handled. When it fails, it rests for a while.
 * @throws {DatabaseUnavailable} If the database is away, or another error that says so.
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
