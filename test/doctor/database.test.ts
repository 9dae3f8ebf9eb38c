import { sql } from "kysely";
import { describe, expect, inject, it } from "vitest";
import { ROLES } from "../../src/doctor/finding.ts";
import { LIMITS } from "../../src/doctor/limits.ts";
import { MIGRATIONS } from "../../src/migrated.ts";
import { useTestDatabase } from "../support/database.ts";
import { useDatabases } from "../support/databases.ts";
import { SESSION_SETTINGS } from "../../src/database/session-settings.ts";
import { ailments, ailmentsAfter, saying } from "./ailments.ts";

const test = useTestDatabase({ jars: true });
const { asAdmin } = useDatabases(() => inject("adminUrl"));
const login = (role: string) => `"${test.name}_${role}"`;

describe("the doctor's limits", () => {
  it.each(ROLES)(
    "are those that migrate sets for %s, besides the settings of every session",
    async (role) => {
      const { rows: [row] } = await sql<{ settings: Record<string, string> }>`
      select jsonb_object_agg(split_part(setting, '=', 1), split_part(setting, '=', 2)) as settings
      from pg_db_role_setting join pg_roles on pg_roles.oid = setrole, unnest(setconfig) as setting
      where rolname = ${`${test.name}_${role}`}`.execute(test.owner);
      const { transaction_timeout } = LIMITS[role];
      expect({ transaction_timeout, ...row!.settings }).toEqual({ ...SESSION_SETTINGS, ...LIMITS[role] });
    },
  );
});

describe("the doctor", () => {
  it("notices limits that are gone or others, as after a plain dump", async () => {
    const limits = (words: string) => `alter role ${login("query")} in database "${test.name}" ${words}`;
    expect(
      await ailmentsAfter(
        test,
        `${limits("reset lock_timeout")}; ${limits("set statement_timeout = '1h'")}`,
        `${limits("set lock_timeout = '2000'")}; ${limits("set statement_timeout = '10000'")}`,
      ),
    ).toEqual([
      saying(
        "problem",
        "lock_timeout is not set, statement_timeout is 1h, not 10000",
        'Run "npm run migrate" as the owner',
      ),
    ]);
  });

  it("knows when only an admin can set the limits", async () => {
    await asAdmin(
      `alter role ${login("owner")} nocreaterole; alter role ${
        login("relay")
      } in database "${test.name}" reset lock_timeout`,
    );
    expect(await ailments(test)).toEqual([
      saying(
        "problem",
        "lock_timeout is not set",
        `have an admin run migrations/roles.sql with psql in "${test.name}"`,
      ),
    ]);
    await asAdmin(
      `alter role ${login("owner")} createrole; alter role ${
        login("relay")
      } in database "${test.name}" set lock_timeout = '10000'`,
    );
  });

  it("notices a lost right that only a migration knows", async () => {
    const right = "update on write.jars";
    expect(
      await ailmentsAfter(
        test,
        `revoke ${right} from ${login("command")}`,
        `grant ${right} to ${login("command")}`,
      ),
    ).toEqual([saying("problem", `may not update write.jars`, `log in as ${test.name}_command`)]);
  });

  it("notices a copy that is still open to the logins of another database", async () => {
    expect(
      await ailmentsAfter(
        test,
        `insert into migrations.logins values ('${test.name}_owner')`,
        `delete from migrations.logins where name = '${test.name}_owner'`,
      ),
    ).toEqual([
      saying("warning", `open to the logins of another one: ${test.name}_owner`, "npm run migrate"),
    ]);
  });

  it("notices what does not belong to the owner", async () => {
    await asAdmin("alter table read.jar_details owner to current_user", test.urls.owner);
    const found = await ailments(test);
    await asAdmin(`alter table read.jar_details owner to ${login("owner")}`, test.urls.owner);
    expect(found).toContainEqual(
      saying(
        "problem",
        "The table read.jar_details belongs to",
        `alter table read.jar_details owner to ${login("owner")}`,
      ),
    );
  });

  it("notices an edited migration", async () => {
    const change = (checksum: string) =>
      `update migrations.applied set checksum = ${checksum} where name = '${MIGRATIONS[0]}'`;
    const { rows: [row] } = await sql<{ checksum: string }>`
      select checksum from migrations.applied where name = ${MIGRATIONS[0]!}`.execute(test.owner);
    const found = await ailmentsAfter(test, change("'other'"), change(`'${row!.checksum}'`));
    expect(found[0]).toEqual(saying("problem", `applied: ${MIGRATIONS[0]}`, "new migration"));
  });

  it("notices a half-built index", async () => {
    await sql`insert into write.jars (id, label, grams, version) values
      (gen_random_uuid(), 'same', 1, 1), (gen_random_uuid(), 'same', 1, 1)`.execute(test.owner);
    const index = sql`create unique index concurrently jars_half_idx on write.jars (label)`;
    await expect(index.execute(test.owner)).rejects.toThrow("could not create unique index");
    expect(await ailments(test)).toEqual([
      saying("problem", "write.jars_half_idx is half built", "drop index concurrently write.jars_half_idx"),
    ]);
    await sql`drop index write.jars_half_idx`.execute(test.owner);
  });
});
