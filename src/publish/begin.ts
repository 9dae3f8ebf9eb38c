import { sql } from "kysely";
import type { Database } from "../database/database.ts";

/**
 * Adds missing checkpoints of publishers, at the end of the log: a new publisher begins with the next event.
 * @see migrations/0012_publishing.sql
 */
export async function beginPublishing(db: Database, publishers: { name: string }[]): Promise<void> {
  for (const { name } of publishers) {
    await db.selectNoFrom(sql`relay.begin_publishing(${name})`.as("begun")).execute();
  }
}
