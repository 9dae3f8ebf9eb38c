import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import { getLogger } from "../logging.ts";

const logger = getLogger("cqrs.relay");

/**
 * Cleans up: deletes results of commands older than 30 days, ten thousand at a time as long as `mayGoOn`
 * returns true, and looks for events left behind in the outbox. Runs at the start of a relay, and now and
 * again later.
 */
export async function sweep(db: Database, mayGoOn: () => boolean): Promise<void> {
  for (let swept = Infinity; swept > 0 && mayGoOn();) {
    const call = sql<number>`write.sweep_idempotency_keys()`.as("swept");
    ({ swept } = await db.selectNoFrom(call).executeTakeFirstOrThrow());
  }
  if (!mayGoOn()) return;
  const call = sql<boolean>`relay.look_back()`.as("leftBehind");
  const { leftBehind } = await db.selectNoFrom(call).executeTakeFirstOrThrow();
  if (leftBehind) logger.warn("Found events that were left behind in the outbox: was its sequence set back?");
}
