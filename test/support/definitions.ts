import { sql } from "kysely";
import type { Database } from "../../src/database/database.ts";

/**
 * Returns the tables that a view reads, in itself or through other views, each with the columns in use. The
 * column `*` stands for whole rows.
 */
export async function readByView(db: Database, view: string): Promise<Map<string, string[]>> {
  const { rows } = await sql<{ table: string; columns: string[] }>`
    with recursive used (relation, place) as (
      select refobjid, refobjsubid from dependencies where view = ${view}::regclass
      union
      select refobjid, refobjsubid from used join dependencies on view = relation
    ),
    dependencies as (
      select ev_class as view, refobjid, refobjsubid
      from pg_rewrite join pg_depend on classid = 'pg_rewrite'::regclass and objid = pg_rewrite.oid
      where refclassid = 'pg_class'::regclass and refobjid <> ev_class
    )
    select format('%s.%s', nspname, relname) as table, array_to_json(array_agg(coalesce(attname, '*'))) as columns
    from used join pg_class on pg_class.oid = relation join pg_namespace on pg_namespace.oid = relnamespace
    left join pg_attribute on attrelid = relation and attnum = place and place > 0
    where relkind in ('r', 'p')
    group by 1 order by 1`.execute(db);
  return new Map(rows.map(({ table, columns }) => [table, columns]));
}
