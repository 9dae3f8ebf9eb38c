import { sql } from "kysely";
import type { Database } from "./database/database.ts";
import { isDatabaseError } from "./errors.ts";

/** The newest migration this code knows. A test keeps it equal to the last file in `migrations/`. */
export const NEWEST_MIGRATION = "0019_replica";

/** undefined_table, insufficient_privilege: nobody has migrated yet. */
const NOT_YET = ["42P01", "42501"];

/** Whether the database is at the migration this code was written for, or a newer one. */
export async function isMigrated(db: Database): Promise<boolean> {
  try {
    const { rows } = await sql<{ name: string }>`select max(name) as name from public.kysely_migration`
      .execute(db);
    return (rows[0]?.name ?? "") >= NEWEST_MIGRATION;
  } catch (error) {
    if (isDatabaseError(error) && NOT_YET.includes(error.code)) return false;
    throw error;
  }
}
