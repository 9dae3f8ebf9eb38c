import { sql } from "kysely";
import type { Database } from "../../src/database/database.ts";

/** Returns PostgreSQL's definitions of the tables, views and functions of the program's schemas, as text. */
export async function describeSchema(db: Database): Promise<string> {
  const { rows } = await sql<{ text: string }>`
    with objects (oid, kind, name) as (
      select class.oid, relkind::text, format('%s.%s', nspname, relname)
      from pg_class as class join pg_namespace as namespace on namespace.oid = relnamespace
      where nspname in ('public', 'migrations', 'write', 'relay', 'read') and relkind in ('r', 'v', 'm')
    ),
    columns as (
      select attrelid as oid, string_agg(
        format('  %s %s%s%s', attname, format_type(atttypid, atttypmod), case when attnotnull then ' not null' else '' end,
          case when attidentity <> '' then ' generated always as identity' else ' default ' || pg_get_expr(adbin, adrelid) end),
        E'\n' order by attnum) as text
      from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
      where attnum > 0 and not attisdropped group by attrelid
    ),
    constraints as (
      select conrelid as oid, string_agg(format('  %s: %s', conname, pg_get_constraintdef(oid)), E'\n' order by conname) as text
      from pg_constraint where contype <> 'n' group by conrelid
    ),
    indexes as (
      select indrelid as oid, string_agg(format('  %s', pg_get_indexdef(indexrelid)), E'\n' order by indexrelid::regclass::text)
        as text
      from pg_index where not exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u'))
      group by indrelid
    ),
    triggers as (
      select tgrelid as oid, string_agg(format('  %s', pg_get_triggerdef(oid)), E'\n' order by tgname) as text
      from pg_trigger where not tgisinternal group by tgrelid
    ),
    described (name, text) as (
      select name, concat_ws(E'\n',
        case kind when 'r' then 'table ' when 'v' then 'view ' else 'materialized view ' end || name
          || coalesce(' with (' || array_to_string(reloptions, ', ') || ')', ''),
        case kind when 'r' then columns.text else pg_get_viewdef(objects.oid) end,
        constraints.text, indexes.text, triggers.text)
      from objects join pg_class using (oid)
      left join columns using (oid) left join constraints using (oid) left join indexes using (oid)
      left join triggers using (oid)
      union all
      select format('%s.%s', nspname, proname), rtrim(pg_get_functiondef(routine.oid), E'\n')
      from pg_proc as routine join pg_namespace as namespace on namespace.oid = pronamespace
      where nspname in ('public', 'migrations', 'write', 'relay', 'read')
        and not exists (select from pg_depend where objid = routine.oid and deptype = 'e')
    )
    select text from described order by name collate "C", text collate "C"`.execute(db);
  return rows.map(({ text }) => text).join("\n\n") + "\n";
}
