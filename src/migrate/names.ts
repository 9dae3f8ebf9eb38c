import { sql } from "kysely";
import type { Database } from "../database/database.ts";

/** The roles of a database are named after the database: `shop_command`, `shop_query`, `shop_relay`. */
const LONGEST_SUFFIX = "_command";
/** PostgreSQL cuts longer names without an error. */
const NAME_BYTES_MAX = 63;

/** @throws {Error} If roles cannot be named after the database: use another name. */
export function refuseDatabaseName(name: string): void {
  const bytes = new TextEncoder().encode(name).length;
  const most = NAME_BYTES_MAX - LONGEST_SUFFIX.length;
  if (bytes > most) {
    throw new Error(
      `Cannot migrate: the name of the database "${name}" has ${bytes} bytes, and those of its roles ` +
        `(…${LONGEST_SUFFIX}) may have ${NAME_BYTES_MAX}; use a name of ${most} bytes at most`,
    );
  }
  if (`${name}_`.startsWith("pg_")) {
    throw new Error(
      `Cannot migrate: PostgreSQL reserves role names like "${name}${LONGEST_SUFFIX}", which begin with pg_; ` +
        `use another name than "${name}" for the database`,
    );
  }
}

/** Returns the name of the connected database. */
export async function nameOf(db: Database): Promise<string> {
  const { rows } = await sql<{ name: string }>`select current_database() as name`.execute(db);
  return rows[0]!.name;
}
