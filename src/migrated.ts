import { sql } from "kysely";
import type { Database } from "./database/database.ts";
import { isDatabaseError } from "./errors.ts";

/** The migrations that the program needs, in order. A test compares them with the files of `migrations/`. */
export const MIGRATIONS = [
  "0001_schemas",
  "0002_events",
  "0003_numbering",
  "0004_waking",
  "0005_read_models",
  "0006_lanes",
  "0007_lost_lanes",
  "0008_set_aside",
  "0009_parked",
  "0010_freshness",
  "0011_rewind",
  "0012_publishing",
  "0013_looking",
  "0101_customers",
  "0102_products",
  "0103_stock",
  "0104_orders",
  "0105_payments",
  "0106_order_details",
  "0107_product_catalog",
  "0108_fulfilment_queue",
  "0109_sales_by_day",
  "0110_order_progress",
];

/** undefined_table, insufficient_privilege: nobody has migrated yet. */
const NOT_YET = ["42P01", "42501"];

/** Returns the migrations of the database, in order. */
export async function listApplied(db: Database): Promise<string[]> {
  try {
    const { rows } = await sql<{ name: string }>`select name from migrations.applied order by name`
      .execute(db);
    return rows.map(({ name }) => name);
  } catch (error) {
    if (isDatabaseError(error) && NOT_YET.includes(error.code)) return [];
    throw error;
  }
}

/** Returns the needed migrations that the database lacks, in order. */
export async function listMissing(db: Database): Promise<string[]> {
  const applied = await listApplied(db);
  return MIGRATIONS.filter((name) => !applied.includes(name));
}

/** Names migrations for people: the first and the last of several. */
export function nameAll(migrations: string[]): string {
  const [first, last] = [migrations[0], migrations.at(-1)];
  if (migrations.length <= 1) return `migration ${first}`;
  return `${migrations.length} migrations, ${first} to ${last}`;
}

/** Returns true if the database has all needed migrations. A newer program may have added more. */
export async function isMigrated(db: Database): Promise<boolean> {
  return (await listMissing(db)).length === 0;
}
