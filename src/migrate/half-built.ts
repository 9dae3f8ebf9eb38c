import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import type { Pending } from "./pending.ts";

/**
 * Returns the indexes that an interrupted `create index concurrently` left behind, in any schema. PostgreSQL
 * hides from other roles the index that is being built: meanwhile, none is returned.
 */
export async function listHalfBuilt(db: Database): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select format('%I.%I', nspname, relname) as name
    from pg_index join pg_class on pg_class.oid = indexrelid join pg_namespace on pg_namespace.oid = relnamespace
    where not indisvalid and relkind = 'i' and nspname <> 'pg_toast'
      and not exists (
        select from pg_stat_progress_create_index
        where datname = current_database() and (index_relid is null or index_relid = indexrelid)
      )
    order by 1`.execute(db);
  return rows.map(({ name }) => name);
}

/** Says what to do about half-built indexes: PostgreSQL keeps them up to date, and uses none for a query. */
export function tellHalfBuilt(names: string[]): string {
  return `half-built indexes of a "concurrently" that was interrupted: ${names.join(", ")}; run ` +
    names.map((name) => `drop index concurrently ${name}`).join("; ") + ", and migrate again";
}

/**
 * Names half-built indexes. @throws {Error} If a file is about to run alone: `create index concurrently if
 * not exists` would take a half-built index for the index.
 */
export async function tellOfHalfBuilt(
  { owner, report }: { owner: Database; report(line: string): void },
  pending: Pending[],
): Promise<void> {
  const names = await listHalfBuilt(owner);
  if (names.length === 0) return;
  const told = tellHalfBuilt(names);
  const next = pending.find(({ isAlone }) => isAlone);
  if (next) throw new Error(`Cannot migrate ${next.name}: ${told}`);
  report(`The database has ${told}`);
}
