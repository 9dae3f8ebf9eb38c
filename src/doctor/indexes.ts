import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import { listHalfBuilt } from "../migrate/half-built.ts";
import { type Finding, type Login, ok, problem, warning } from "./finding.ts";

/** Checks that each materialized view can be refreshed beside readers, by a unique index on plain columns. */
export async function checkIndexes(logins: Login[]): Promise<Finding[]> {
  const relay = logins.find(({ role }) => role === "relay");
  if (!relay) return [];
  const halfBuilt = (await listHalfBuilt(relay.db)).map((name) =>
    problem(
      `The index ${name} is half built: a "concurrently" was interrupted`,
      `As the owner, run: drop index concurrently ${name}; and migrate, or build it again`,
    )
  );
  return [...halfBuilt, ...await checkReadModels(relay.db)];
}

async function checkReadModels(db: Database): Promise<Finding[]> {
  const { rows } = await sql<{ name: string }>`
    select matviewname as name from pg_matviews where schemaname = 'read' order by 1`.execute(db);
  if (rows.length === 0) return [ok("No read model is refreshed as a whole")];
  return await Promise.all(rows.map(({ name }) => check(db, name)));
}

async function check(db: Database, name: string): Promise<Finding> {
  const columns = await findKey(db, name);
  if (!columns) {
    const what = `read.${name} cannot be refreshed: it has no unique index on plain columns of all its rows`;
    return problem(what, `Add a migration: create unique index ${name}_key on read.${name} (…)`);
  }
  const isNull = sql.join(columns.map((column) => sql`${sql.ref(column)} is null`), sql` or `);
  const { rows } = await sql<{ found: boolean }>`
    select exists (select from ${sql.table(`read.${name}`)} where ${isNull}) as found`.execute(db);
  if (rows[0]?.found) {
    const what = `read.${name} has rows without a key: each refresh writes them anew`;
    return warning(what, `Leave out of its definition what has no ${columns.join(", ")}`);
  }
  return ok(`read.${name} can be refreshed while it is read`);
}

/** Returns the columns of an index usable for a refresh, or undefined. */
async function findKey(db: Database, name: string): Promise<string[] | undefined> {
  const { rows } = await sql<{ columns: string[] }>`
    select (
      select jsonb_agg(attname order by place) from unnest(indkey::smallint[]) with ordinality as key (number, place)
      join pg_attribute on attrelid = indrelid and attnum = number
      where place <= indnkeyatts
    ) as columns
    from pg_index
    where indrelid = to_regclass(${`read.${name}`}) and indisunique and indisvalid and indimmediate
      and indpred is null and indexprs is null
    order by indnkeyatts`.execute(db);
  return rows[0]?.columns;
}
