import { getLogger } from "@logtape/logtape";
import { sql } from "kysely";
import type { Database } from "../database/database.ts";

const logger = getLogger(["cqrs", "relay"]);

/** What is to be done at the start and now and then: the answers of old commands, and a look at what was left behind. */
export async function sweep(db: Database): Promise<void> {
  await sweepIdempotencyKeys(db);
  const call = sql<boolean>`relay.look_back()`.as("leftBehind");
  const { leftBehind } = await db.selectNoFrom(call).executeTakeFirstOrThrow();
  if (leftBehind) logger.warn("Found events that were left behind in the outbox: was its sequence set back?");
}

/** Forgets the answers of commands that are older than 30 days. */
async function sweepIdempotencyKeys(db: Database): Promise<void> {
  for (let swept = Infinity; swept > 0;) {
    const call = sql<number>`write.sweep_idempotency_keys()`.as("swept");
    ({ swept } = await db.selectNoFrom(call).executeTakeFirstOrThrow());
  }
}
