import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import type { Database } from "../../src/database/database.ts";
import { listFiles, ROOT } from "./imports.ts";
import type { Stream } from "./streams.ts";
import { listWrites, type Write } from "./writes.ts";

interface Constraint {
  name: string;
  table: string;
  kind: "check" | "key" | "reference";
  columns: string[];
  /** The table referred to, if commands may delete rows there. */
  parent: string | null;
  /** The comment in the catalogue: the reason why no input violates the constraint. */
  reason: string | null;
}

/**
 * Lists the constraints of the schema `write` that would end a command with a bug's answer, 500, in sentences. A
 * constraint is explained by `constraints` of the aggregates that write to the table, by the name in other code, by
 * `on conflict`, by the version of a new stream, or by a comment in the catalogue. With `isMeant`, only tables meant.
 */
export async function listUnexplained(
  db: Database,
  streams: Stream[],
  isMeant = (_table: string) => true,
): Promise<string[]> {
  const [constraints, sources] = [await listConstraints(db), await readSources()];
  const written = streams.map((stream) => ({
    names: stream.aggregate.constraints ?? {},
    category: stream.aggregate.category,
    writes: [true, false].flatMap((created) => listWrites(db, stream, created)),
  }));
  const unexplained = constraints.filter(({ table, reason }) => reason === null && isMeant(table))
    .flatMap((constraint) => {
      const { name, table, parent } = constraint;
      const writers = written.filter(({ writes }) => writes.some((write) => write.table === table));
      const silent = writers.filter(({ names, writes }) => !(name in names) && !prevents(writes, constraint));
      const isNamed = writers.length > 0 || sources.some((text) => text.includes(`"${name}"`));
      const deleting = sources.filter((text) => parent !== null && text.includes(`deleteFrom("${parent}")`));
      return [
        ...silent.map(({ category }) => `${name}: not in the constraints of the aggregate "${category}"`),
        ...isNamed ? [] : [`${name}: unknown to the code that writes to ${table}`],
        ...deleting.every((text) => text.includes(`"${name}"`))
          ? []
          : [`${name}: unknown to the code that deletes from ${parent}`],
      ];
    });
  const existing = new Set(constraints.map(({ name }) => name));
  const misspelt = written.flatMap(({ names, category }) =>
    Object.keys(names).filter((name) => !existing.has(name))
      .map((name) => `${name}: in the constraints of the aggregate "${category}", but in no table`)
  );
  return [...unexplained, ...misspelt];
}

/** Returns true if no write can violate a key: the stream's version is checked first, or there is `on conflict`. */
function prevents(writes: Write[], { kind, table, columns }: Constraint): boolean {
  const inserts = writes.filter((write) => write.table === table && write.isInsert);
  const isKey = (others: string[]) => others.toSorted().join() === columns.toSorted().join();
  return kind === "key" && inserts.every((one) => isKey(one.idColumns) || isKey(one.conflictColumns));
}

async function readSources(): Promise<string[]> {
  return await Promise.all((await listFiles("src")).map((file) => readFile(join(ROOT, "src", file), "utf8")));
}

async function listConstraints(db: Database): Promise<Constraint[]> {
  const { rows } = await sql<Constraint>`
    with named (name, relation, kind, places, parent, reason) as (
      select conname, conrelid, case contype when 'c' then 'check' when 'f' then 'reference' else 'key' end, conkey,
        nullif(confrelid, 0), obj_description(oid, 'pg_constraint')
      from pg_constraint where contype in ('c', 'f', 'p', 'u', 'x')
      union all
      select relname, indrelid, 'key', indkey::int2[], null, obj_description(indexrelid, 'pg_class')
      from pg_index join pg_class on pg_class.oid = indexrelid
      where indisunique and not exists (select from pg_constraint where conindid = indexrelid)
    )
    select name, format('%s.%s', nspname, relname) as table, kind, reason,
      (select array_to_json(array_agg(attname)) from pg_attribute
        where attrelid = relation and attnum = any(places)) as columns,
      case when has_table_privilege(migrations.role_name('command'), parent, 'delete') then
        (select format('%s.%s', relnamespace::regnamespace, relname) from pg_class where oid = parent) end as parent
    from named join pg_class on pg_class.oid = relation join pg_namespace on pg_namespace.oid = relnamespace
    where nspname = 'write'
    order by name`.execute(db);
  return rows.map((row) => ({ ...row, columns: row.columns ?? [] }));
}
