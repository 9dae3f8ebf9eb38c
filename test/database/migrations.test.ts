import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import type { Database } from "../../src/database/database.ts";
import { migrate } from "../../src/migrate.ts";
import { isMigrated } from "../../src/migrated.ts";
import { readMigrations } from "../../src/process/migrations.ts";
import { useTestDatabase } from "../support/database.ts";
import { describeSchema } from "../support/schema.ts";

const OWNERS = {
  "0203_gifts": `
    create table write.gifts (id uuid primary key, pieces integer not null);
    call migrations.grant_to('command', 'insert on write.gifts');`,
};
/** An upgrade of the machinery, under a number reserved for the machinery (0001 to 0099). */
const UPGRADE = {
  "0007_labels": `
    alter table relay.log add label text;
    create function relay.label() returns text language sql set search_path = '' as $$ select 'upgraded' $$;`,
};

const owner = (
  test: { urls: { owner: string }; open: (url: string, options: { max: number }) => Database },
) => test.open(test.urls.owner, { max: 1 });

async function migrateWith(db: Database, ...added: Record<string, string>[]): Promise<string[]> {
  const { numbered, roles } = await readMigrations();
  return await migrate(db, { numbered: Object.assign({}, numbered, ...added), roles });
}

describe("the migrations", () => {
  it("create each function, view and trigger once, so that what a reader finds is what lives", async () => {
    const { numbered, roles } = await readMigrations();
    const created = Object.values({ ...numbered, roles }).flatMap((text) =>
      [
        ...text.matchAll(/^create (?:or replace )?(?:materialized )?(?:function|procedure|view) ([\w.]+)/gim),
        ...text.matchAll(/^create (?:or replace )?trigger (\w+ .*? on [\w.]+)/gim),
      ].map(([, name]) => name!.replace(/ .* on /, " on ").toLowerCase())
    );
    expect(created.length).toBeGreaterThan(30);
    expect(created.filter((name, place) => created.indexOf(name) !== place)).toEqual([]);
  });
});

describe("an upgrade of the machinery below an owner's migrations", () => {
  const [before, after] = [useTestDatabase(), useTestDatabase()];

  it("leads to the same schema as if it had come first", async () => {
    expect(await migrateWith(owner(before), UPGRADE, OWNERS)).toEqual(["0007_labels", "0203_gifts"]);
    expect(await migrateWith(owner(after), OWNERS)).toEqual(["0203_gifts"]);
    expect(await migrateWith(owner(after), UPGRADE, OWNERS)).toEqual(["0007_labels"]);
    const schema = await describeSchema(after.owner);
    expect(schema).toContain("relay.label");
    expect(schema).toBe(await describeSchema(before.owner));
  });

  it("is no obstacle to a program that knows neither", async () => {
    expect(await migrateWith(owner(after))).toEqual([]);
    expect(await isMigrated(after.query)).toBe(true);
  });

  it("gives rights to roles that exist already", async () => {
    await sql`insert into write.gifts values (gen_random_uuid(), 1)`.execute(after.command);
  });
});

describe("a database that lacks a migration in the middle", () => {
  const test = useTestDatabase();

  it("is not ready, however new its newest one is", async () => {
    await sql`delete from migrations.applied where name = '0004_waking'`.execute(test.owner);
    expect(await isMigrated(test.query)).toBe(false);
  });
});

describe("every migrate", () => {
  const test = useTestDatabase({ jars: true });

  it("gives rights and limits again that were taken away", async () => {
    const role = sql.id(`${test.name}_command`);
    await sql`revoke insert on write.jars from ${role}`.execute(test.owner);
    await sql`revoke execute on function write.append from ${role}`.execute(test.owner);
    await sql`alter role ${role} in database ${sql.id(test.name)} reset all`.execute(test.owner);
    expect(await migrateWith(owner(test))).toEqual([]);
    const { rows: [row] } = await sql<{ insert: boolean; append: boolean; limits: number }>`
      select has_table_privilege(${`${test.name}_command`}, 'write.jars', 'insert') as insert,
        has_function_privilege(${`${test.name}_command`}, 'write.append(text, integer, jsonb, jsonb)', 'execute') as append,
        cardinality(setconfig) as limits
      from pg_db_role_setting join pg_roles on pg_roles.oid = setrole where rolname = ${`${test.name}_command`}`
      .execute(test.owner);
    expect(row).toMatchObject({ insert: true, append: true });
    expect(row!.limits).toBeGreaterThan(6);
  });

  it("forgets the rights on a table that was dropped", async () => {
    await migrateWith(owner(test), OWNERS);
    await sql`drop table write.gifts`.execute(test.owner);
    await migrateWith(owner(test));
    const { rows } = await sql`select from migrations.role_grants where privileges like '%write.gifts'`
      .execute(
        test.owner,
      );
    expect(rows).toEqual([]);
  });

  it("applies everything or nothing, and says which one failed and why", async () => {
    const half = { "0204_half": "create table write.half (id uuid);", "0205_other_half": "select 1 / 0;" };
    await expect(migrateWith(owner(test), half)).rejects.toThrow(
      "Cannot migrate 0205_other_half: division by zero",
    );
    expect(await describeSchema(test.owner)).not.toContain("write.half");
  });

  it("waits for another one", async () => {
    const two = await Promise.all(
      [1, 2].map(() => migrateWith(owner(test), { "0206_twice": "create table write.twice ();" })),
    );
    expect(two.flat()).toEqual(["0206_twice"]);
  });

  it("refuses a database of the layout before the first release, in one sentence", async () => {
    await sql`drop schema migrations cascade`.execute(test.owner);
    await expect(migrateWith(owner(test))).rejects.toThrow(
      /^Cannot migrate: the database was made by an early version/,
    );
  });
});
