import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import { getLogger } from "../logging.ts";

const logger = getLogger("cqrs.relay");

/**
 * What is to be done at the start and now and then: forgets the answers of commands that are older than 30 days, ten
 * thousand at a time for as long as it may go on, and looks for what was left behind in the outbox.
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
