import { sql } from "kysely";
import type { Database } from "../database/database.ts";

/** Forgets the answers of commands that are older than 30 days. */
export async function sweepIdempotencyKeys(db: Database): Promise<void> {
  for (let swept = Infinity; swept > 0;) {
    const call = sql<number>`write.sweep_idempotency_keys()`.as("swept");
    ({ swept } = await db.selectNoFrom(call).executeTakeFirstOrThrow());
  }
}
