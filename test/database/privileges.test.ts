import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { aJar } from "../jars/arrange.ts";
import { useTestDatabase } from "../support/database.ts";

/** The program's database, as privileges.txt describes. */
const plain = useTestDatabase();
const test = useTestDatabase({ jars: true });

const ROLES = ["command", "query", "relay", "public"] as const;
const DENIED = { code: "42501" };

describe("the privileges of the run-time roles", () => {
  it("are those in privileges.txt, and no others", async () => {
    const rows = await listPrivileges();
    const lines = [
      ["", ...ROLES],
      ...rows.map(({ object, held }) => [object, ...held.map((names) => names ?? "-")]),
    ];
    const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
    const text = lines.map((line) =>
      line.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd()
    );
    await expect(text.join("\n") + "\n").toMatchFileSnapshot("privileges.txt");
  });

  it("keep queries away from the write tables", async () => {
    for (const table of ["events", "outbox", "jars", "idempotency_keys"]) {
      await expect(sql`select from ${sql.table(`write.${table}`)}`.execute(test.query)).rejects.toMatchObject(
        DENIED,
      );
    }
    await expect(
      sql`insert into write.outbox (event_id, recorded_at) values (gen_random_uuid(), now())`.execute(
        test.query,
      ),
    )
      .rejects.toMatchObject(DENIED);
    await expect(sql`delete from read.jar_details`.execute(test.query)).rejects.toMatchObject(DENIED);
    await expect(sql`select relay.number_events(1)`.execute(test.query)).rejects.toMatchObject(DENIED);
  });

  it("keep commands away from the read models and from the log itself", async () => {
    await expect(sql`select from read.jar_details`.execute(test.command)).rejects.toMatchObject(DENIED);
    await expect(
      sql`insert into write.outbox (event_id, recorded_at) values (gen_random_uuid(), now())`.execute(
        test.command,
      ),
    )
      .rejects.toMatchObject(DENIED);
    await expect(sql`create table write.sneaky ()`.execute(test.command)).rejects.toMatchObject(DENIED);
  });
});

describe("an event", () => {
  const changes = [
    sql`update write.events set data = '{}'`,
    sql`delete from write.events`,
    sql`truncate write.events`,
    sql`update write.events set data = '{}' where false`,
  ];

  it.each(["command", "query", "relay"] as const)("cannot be changed by the %s role", async (role) => {
    for (const change of changes) await expect(change.execute(test[role])).rejects.toMatchObject(DENIED);
  });

  it("cannot be changed by the owner either", async () => {
    await aJar(test.command);
    for (const change of changes) {
      await expect(change.execute(test.owner)).rejects.toThrow(
        /^Cannot (update|delete|truncate) write.events/,
      );
    }
  });
});

interface Row {
  object: string;
  /** The privileges of each role, in the order of ROLES; null for none. */
  held: (string | null)[];
}

async function listPrivileges(): Promise<Row[]> {
  const { rows } = await sql<Row>`
    with roles as (
      select place, case role when 'public' then 'public' else current_database() || '_' || role end as role
      from unnest(${[...ROLES]}::text[]) with ordinality as given (role, place)
    ),
    held (object, place, privilege, rank) as (
      select '1 database', place, privilege, rank
      from roles, unnest(array['connect', 'create', 'temp']) with ordinality as p (privilege, rank)
      where has_database_privilege(role, current_database(), privilege)
      union all
      select '2 schema ' || nspname, place, privilege, rank
      from roles, pg_namespace, unnest(array['usage', 'create']) with ordinality as p (privilege, rank)
      where nspname in ('public', 'migrations', 'write', 'relay', 'read') and has_schema_privilege(role, pg_namespace.oid, privilege)
      union all
      select '3 ' || relation.oid::regclass, place, privilege, rank
      from roles, pg_class as relation,
        unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) with ordinality as p (privilege, rank)
      where relnamespace::regnamespace::text in ('public', 'migrations', 'write', 'relay', 'read') and relkind in ('r', 'v', 'm')
        and has_table_privilege(role, relation.oid, privilege)
      union all
      select '4 ' || routine.oid::regproc, place, 'execute', 1
      from roles, pg_proc as routine
      where pronamespace::regnamespace::text in ('public', 'migrations', 'write', 'relay', 'read')
        and not exists (select from pg_depend where objid = routine.oid and deptype = 'e')
        and has_function_privilege(role, routine.oid, 'execute')
    ),
    objects (object) as (
      select '1 database'
      union all select '2 schema ' || nspname from pg_namespace where nspname in ('public', 'migrations', 'write', 'relay', 'read')
      union all select '3 ' || oid::regclass from pg_class
        where relnamespace::regnamespace::text in ('public', 'migrations', 'write', 'relay', 'read') and relkind in ('r', 'v', 'm')
      union all select '4 ' || routine.oid::regproc from pg_proc as routine
        where pronamespace::regnamespace::text in ('public', 'migrations', 'write', 'relay', 'read')
          and not exists (select from pg_depend where objid = routine.oid and deptype = 'e')
    )
    select substr(object, 3) as object, json_agg(
      (select string_agg(privilege, ' ' order by rank) from held where held.object = objects.object and held.place = roles.place)
      order by place
    ) as held
    from objects, roles group by object order by objects.object`.execute(plain.owner);
  return rows;
}
