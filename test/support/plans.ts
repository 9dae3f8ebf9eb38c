import { sql } from "kysely";
import type { TestDatabase } from "./database.ts";

/** Returns SQL for a UUID made of a number. */
export function uuid(number: string) {
  return sql.raw<string>(`lpad(to_hex(${number}), 32, '0')::uuid`);
}

/** Returns which of the given tables, large ones, a query for a hundred keys of a view scans sequentially. */
export async function scannedByKey(
  { owner }: TestDatabase,
  view: string,
  largeTables: string[],
): Promise<string[]> {
  const { rows: [column] } = await sql<{ name: string }>`
    select attname as name from pg_attribute where attrelid = ${view}::regclass and attnum = 1`.execute(
    owner,
  );
  const { rows: keys } = await sql<{ key: string }>`
    select ${uuid("n")} as key from generate_series(1, 100) as n`.execute(owner);
  const literal = `{${keys.map(({ key }) => key).join(",")}}`;
  const { rows } = await sql<{ "QUERY PLAN": unknown }>`
    explain (format json) select * from ${sql.table(view)}
    where ${sql.ref(column!.name)} = any(${sql.lit(literal)}::uuid[])`.execute(owner);
  const plan = JSON.stringify(rows[0]!["QUERY PLAN"]);
  const scans = plan.matchAll(/"Node Type":"Seq Scan"[^{}]*?"Relation Name":"(\w+)"/g);
  return [...scans].map(([, table]) => table!).filter((table) => largeTables.includes(table));
}
