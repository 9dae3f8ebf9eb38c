import { sql } from "kysely";
import { describe, expect, inject, it } from "vitest";
import type { Database } from "../../src/database/database.ts";
import { migrate } from "../../src/migrate.ts";
import { expectMigrationLock } from "../../src/migrate/lock.ts";
import type { MigrateOptions } from "../../src/migrate/migrations.ts";
import { MIGRATIONS } from "../../src/migrated.ts";
import { migrateDatabase, readMigrations } from "../../src/process/migrations.ts";
import { useTestDatabase } from "../support/database.ts";
import { useDatabases } from "../support/databases.ts";
import { hold } from "../support/hold.ts";
import { until } from "../support/until.ts";

const test = useTestDatabase({ jars: true });

async function migrateWith(added: Record<string, string>, options: MigrateOptions = {}): Promise<string[]> {
  const owner = test.open(test.urls.owner, { max: 1 });
  const { numbered, roles } = await readMigrations();
  return await migrate(owner, { numbered: { ...numbered, ...added }, roles }, options);
}

async function first<Row>(db: Database, text: string): Promise<Row> {
  return (await sql<Row>`${sql.raw(text)}`.execute(db)).rows[0]!;
}

describe("migrating", () => {
  it("runs several statements that return rows", async () => {
    await migrateWith({
      "0301_rows": "create sequence write.numbers; select setval('write.numbers', 7); select 1; select 2;",
    });
    expect(await first(test.owner, "select last_value from write.numbers")).toEqual({ last_value: 7 });
  });

  it.each([
    ["commit;", "create table write.early (); commit; create table write.late ();"],
    ["Rollback", "rollback /* never */"],
    ["start transaction", "--\n start  transaction;"],
    ["end", "create table write.early (); end;"],
    ["prepare transaction", "prepare transaction 'x'"],
  ])("refuses a migration with %s, and applies none", async (_, text) => {
    const added = { "0302_before": "create table write.before ()", "0303_ends": text };
    await expect(migrateWith(added)).rejects.toThrow(
      "Cannot migrate 0303_ends: a migration may not begin or end a transaction",
    );
    expect(await first(test.owner, "select to_regclass('write.before') as found")).toEqual({ found: null });
  });

  it("lets a function and a string say what a migration may not", async () => {
    const text = `select 'commit;' as word into write.words;
      create function write.words() returns text language sql begin atomic select 'a; commit;'; select $$b;$$; end;`;
    expect(await migrateWith({ "0304_words": text })).toEqual(["0304_words"]);
  });

  it("names the line of a mistake", async () => {
    await expect(migrateWith({ "0305_typo": "select 1;\nselect 2;\ncrate table write.x ();" })).rejects
      .toThrow(
        /^Cannot migrate 0305_typo: syntax error at or near "crate"; line 3$/,
      );
  });

  it("says what PostgreSQL says about the reason, with the detail", async () => {
    const text = "create table write.pairs (id integer primary key); insert into write.pairs values (1), (1)";
    await expect(migrateWith({ "0305_pairs": text })).rejects.toThrow(
      /^Cannot migrate 0305_pairs: duplicate key .*; Key \(id\)=\(1\) already exists/,
    );
  });

  it("refuses a grant that did nothing", async () => {
    const warnings: { code: string; message: string }[] = [];
    const owner = test.open(test.urls.owner, { max: 1, onWarning: (warning) => warnings.push(warning) });
    const { numbered, roles } = await readMigrations();
    const added = { "0306_grant": "grant select on pg_catalog.pg_class to public" };
    const migrating = migrate(owner, { numbered: { ...numbered, ...added }, roles }, {
      takeWarnings: () => warnings.splice(0),
    });
    await expect(migrating).rejects.toThrow(/^Cannot migrate 0306_grant: no privileges were granted for/);
  });

  it("is refused after an edit of an applied file, until the edit is accepted", async () => {
    const file = (text: string) => ({ "0307_edited": text });
    await migrateWith(file("create table write.edited ();\n-- as it was"));
    expect(await migrateWith(file("create table write.edited ();\r\n-- as it was"))).toEqual([]);
    await expect(migrateWith(file("create table write.edited (id uuid);"))).rejects.toThrow(
      /^Cannot migrate: 0307_edited was edited after it was applied; put the file back .* set checksum = null where name = '0307_edited'$/,
    );
    await sql`update migrations.applied set checksum = null where name = '0307_edited'`.execute(test.owner);
    expect(await migrateWith(file("create table write.edited (id uuid);"))).toEqual([]);
    await expect(migrateWith(file("create table write.edited ();"))).rejects.toThrow("was edited");
    await sql`delete from migrations.applied where name = '0307_edited'`.execute(test.owner);
  });
});

describe("a database that is newer than the program", () => {
  const newer = useTestDatabase();

  it("gets nothing, and is no error", async () => {
    await sql.raw("drop table relay.skipped cascade; insert into migrations.applied values ('0308_newer')")
      .execute(newer.owner);
    const lines: string[] = [];
    expect(await migrateDatabase(newer.urls, (line) => lines.push(line))).toEqual([]);
    expect(lines[0]).toMatch(/^The database is newer than this program: it has .*0308_newer/);
    expect(lines[1]).toMatch(
      /^The roles and their rights stay as the newer program set them: .*relay.skipped/,
    );
  });
});

describe("several migrates at once", () => {
  const databases = useDatabases(() => inject("adminUrl"));

  it("go one after the other, roles and passwords too", async () => {
    const urls = await databases.create();
    const lines: string[] = [];
    const all = await Promise.all(
      [1, 2, 3, 4].map(() => migrateDatabase(urls, (line) => lines.push(line))),
    );
    expect(all.map(({ length }) => length).toSorted((a, b) => a - b)).toEqual([0, 0, 0, MIGRATIONS.length]);
    expect(lines).toContain("Waiting for another migrate");
  });

  it("do not go on without the lock, when a lost connection was made anew", async () => {
    const held = await hold(test.owner, expectMigrationLock);
    await expect(test.open(test.urls.owner).transaction().execute(expectMigrationLock)).rejects.toThrow(
      "Cannot migrate: the connection was lost, and another process migrates; try again",
    );
    await held.commit();
  });
});

describe("a lock on a table that a migration alters", () => {
  const ALTER = { "0311_altered": "alter table write.jars add colour text" };
  const isWaiting = async () =>
    (await first<{ found: boolean }>(
      test.owner,
      "select exists (select from pg_locks where not granted and relation = 'write.jars'::regclass) as found",
    )).found;

  it("holds nobody else up: the migration asks for it now and then, and says so", async () => {
    const held = await hold(test.owner, (trx) => sql`select from write.jars`.execute(trx));
    const lines: string[] = [];
    const migrating = migrateWith(ALTER, { report: (line) => lines.push(line) });
    await until("the migration waits", isWaiting);
    const before = performance.now();
    await sql`select from write.jars`.execute(test.command);
    expect(performance.now() - before).toBeLessThan(1_000);
    await until(
      "the migration tells",
      () => lines.some((line) => /^Waiting with 0311_altered: others hold .*; try 1 of 20$/.test(line)),
    );
    expect(lines.join()).toContain("holds write.jars");
    await held.commit();
    expect(await migrating).toContain("0311_altered");
  });

  it("ends the migration after some tries, with nothing applied", async () => {
    const held = await hold(test.owner, (trx) => sql`select from write.jars`.execute(trx));
    const added = {
      "0312_other": "create table write.other ()",
      "0313_x": "alter table write.jars add size text",
    };
    await expect(migrateWith({ ...ALTER, ...added }, { tries: 2 })).rejects.toThrow(
      /^Cannot migrate 0313_x: others hold a lock .*\(.*holds write.jars.*\); nothing waits now, try again$/,
    );
    await held.commit();
    expect(await first(test.owner, "select to_regclass('write.other') as found")).toEqual({ found: null });
  });
});

describe("a file that runs alone", () => {
  const file = (text: string) => `-- no-transaction: beside others.\n${text}`;

  it("builds an index beside others, between transactions", async () => {
    const added = {
      "0321_before": "create table write.wide (id integer, name text)",
      "0322_alone": file("create index concurrently wide_idx on write.wide (id);"),
      "0323_after": "insert into write.wide values (1, 'a;b'), (1, 'c')",
    };
    expect(await migrateWith(added)).toEqual(Object.keys(added));
  });

  it("waits for an old transaction for as long as need be, and for no other migrate that waits", async () => {
    const held = await hold(test.owner, (trx) => sql`insert into write.wide values (2, 'd')`.execute(trx));
    const building = migrateWith({ "0323_x": file("create index concurrently on write.wide (name)") });
    await until("the index waits for longer than others wait for a lock", async () => {
      const { rows } = await sql`
        select from pg_stat_activity where query like '-- no-transaction%' and wait_event_type = 'Lock'
          and clock_timestamp() - query_start > interval '600 milliseconds'`.execute(test.owner);
      return rows.length > 0;
    });
    const lines: string[] = [];
    const other = migrateWith({}, { report: (line) => lines.push(line) });
    await until("another migrate waits", () => lines.length > 0);
    await held.commit();
    expect(await building).toEqual(["0323_x"]);
    expect(await other).toEqual([]);
  });

  it("is told of by a file without the line", async () => {
    await expect(migrateWith({ "0324_x": "create index concurrently on write.wide (name)" })).rejects.toThrow(
      /^Cannot migrate 0324_x: .*: let the file begin with "-- no-transaction"/,
    );
  });

  it.each([
    ["analyze write.wide; analyze write.wide;", "has one statement, and 0325_x has 2"],
    ["/* ; */ begin;", "may not begin or end a transaction"],
  ])("is refused with %s", async (text, reason) => {
    await expect(migrateWith({ "0325_x": file(text) })).rejects.toThrow(reason);
  });

  it("names a half-built index when it fails, and by the next migrate", async () => {
    const added = {
      "0326_key": file("create unique index concurrently if not exists wide_key on write.wide (id)"),
    };
    const dropIt = "write.wide_key; run drop index concurrently write.wide_key, and migrate again";
    await expect(migrateWith(added)).rejects.toThrow(
      new RegExp(`^Cannot migrate 0326_key: could not create unique index .*${dropIt}$`),
    );
    await expect(migrateWith(added)).rejects.toThrow(
      new RegExp(`^Cannot migrate 0326_key: half-built indexes .*${dropIt}$`),
    );
    const lines: string[] = [];
    await migrateWith({}, { report: (line) => lines.push(line) });
    expect(lines).toContainEqual(expect.stringMatching(`^The database has half-built .*${dropIt}$`));
    await sql`drop index concurrently write.wide_key`.execute(test.owner);
    await sql`delete from write.wide where name = 'c'`.execute(test.owner);
    expect(await migrateWith(added)).toEqual(["0326_key"]);
  });
});
