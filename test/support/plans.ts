import { sql } from "kysely";
import type { Database } from "../../src/database/database.ts";
import { readByView } from "./definitions.ts";

/** The smallest table for which an index pays: below, PostgreSQL reads a table from end to end. */
const ROWS_MIN = 50_000;
const KEYS = 100;
/** A table is read from end to end if a hundred keys need more than a tenth of the rows. */
const PART_MAX = 0.1;

/** Returns SQL for a UUID made of a number. */
export function uuid(number: string) {
  return sql.raw<string>(`lpad(to_hex(${number}), 32, '0')::uuid`);
}

/**
 * Lists what is wrong with the plan of a definition for the hundred keys `uuid("1")` to `uuid("100")`, in
 * sentences: tables that are read from end to end, and tables with too few rows to tell.
 */
export async function listSlow(db: Database, view: string, key: string): Promise<string[]> {
  const tables = [...(await readByView(db, view)).keys()];
  const { rows, read } = await explain(db, view, key);
  if (rows !== KEYS) return [`${view} has ${rows} rows for ${KEYS} keys: fill the tables for those keys`];
  const lists = await Promise.all(tables.map(async (table) => {
    const size = await countRows(db, table);
    if (size < ROWS_MIN) return [`${table} has ${size} rows: fill in ${ROWS_MIN} at least`];
    const part = read.get(table) ?? 0;
    return part > PART_MAX * size
      ? [`${view} reads ${part} of ${size} rows of ${table} for ${KEYS} keys`]
      : [];
  }));
  return lists.flat();
}

/** Returns the column that a read model is refreshed by. */
export async function keyOf(db: Database, name: string): Promise<string> {
  const { rows: [key] } = await sql<{ name: string }>`select relay.key_of(${name}) as name`.execute(db);
  return key!.name;
}

async function countRows(db: Database, table: string): Promise<number> {
  const { rows } = await sql<{ rows: number }>`select count(*) as rows from ${sql.table(table)}`.execute(db);
  return rows[0]!.rows;
}

interface Plan {
  "Actual Rows": number;
  "Actual Loops": number;
  "Rows Removed by Filter"?: number;
  "Rows Removed by Index Recheck"?: number;
  Schema?: string;
  "Relation Name"?: string;
  Plans?: Plan[];
}

/** Computes the keys. Returns the number of rows, and the number of rows read of each table. */
async function explain(db: Database, view: string, key: string) {
  const { rows: keys } = await sql<{ id: string }>`
    select ${uuid("n")} as id from generate_series(1, ${sql.lit(KEYS)}) as n`.execute(db);
  const literal = `{${keys.map(({ id }) => id).join(",")}}`;
  const { rows } = await sql<{ "QUERY PLAN": { Plan: Plan }[] }>`
    explain (analyze, verbose, format json)
    select * from ${sql.table(view)} where ${sql.ref(key)} = any(${sql.lit(literal)}::uuid[])`.execute(db);
  const { Plan: plan } = rows[0]!["QUERY PLAN"][0]!;
  const read = new Map<string, number>();
  const visit = (node: Plan) => {
    if (node["Relation Name"]) {
      const table = `${node.Schema}.${node["Relation Name"]}`;
      const rowsRead = node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0) +
        (node["Rows Removed by Index Recheck"] ?? 0);
      read.set(table, (read.get(table) ?? 0) + rowsRead * node["Actual Loops"]);
    }
    node.Plans?.forEach(visit);
  };
  visit(plan);
  return { rows: plan["Actual Rows"] * plan["Actual Loops"], read };
}
