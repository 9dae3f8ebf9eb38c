import { describe, expect, it } from "vitest";
import { checkClocks } from "../../src/doctor/clock.ts";
import { checkConnections } from "../../src/doctor/connections.ts";
import type { Login } from "../../src/doctor/finding.ts";
import { judgeVersion } from "../../src/doctor/reach.ts";
import { MIGRATIONS } from "../../src/migrated.ts";
import { useTestDatabase } from "../support/database.ts";
import { ailments, ailmentsAfter, saying } from "./ailments.ts";
import { settingsOf, usePrograms } from "../support/program.ts";

const NEWEST = MIGRATIONS.at(-1)!;

const test = useTestDatabase({ jars: true });

function through(url: string, change: Partial<URL>): string {
  return Object.assign(new URL(url), change).href;
}

describe("npm run doctor", () => {
  const run = usePrograms();

  it("finds nothing wrong with a database for each role, and ends with 0", async () => {
    const doctor = run("doctor", {
      settings: { ...settingsOf(test.urls), DATABASE_DIRECT_URL: test.urls.relay },
    });
    expect(await doctor.ended).toBe(0);
    expect(doctor.output).toMatch(/^(ok {6} .+\n)+0 problems, 0 warnings\n$/);
    for (const url of Object.values(test.urls)) expect(doctor.output).not.toContain(new URL(url).password);
  });

  it("ends with 1 when there is a problem, says what to do, and no password", async () => {
    const wrong = through(test.urls.query, { password: "sesame" });
    const doctor = run("doctor", { settings: { ...settingsOf(test.urls), QUERY_DATABASE_URL: wrong } });
    expect(await doctor.ended).toBe(1);
    expect(doctor.output).toMatch(
      /^problem {2}Cannot reach query .*password.*\n {9}Give the URL the right password/m,
    );
    expect(doctor.output).toContain("1 problems, 0 warnings\n");
    expect(doctor.output).not.toContain("sesame");
  });
});

describe("the doctor", () => {
  it("notices a server that does not answer, and goes on with the others", async () => {
    expect(await ailments(test, { query: through(test.urls.query, { host: "127.0.0.1:1" }) })).toEqual([
      saying("problem", `Cannot reach query (${test.name}_query at 127.0.0.1:1/`, "host and port"),
    ]);
  });

  it("looks at the replica, too", async () => {
    expect(await ailments(test, { replica: test.urls.query })).toEqual([]);
    expect(await ailments(test, { replica: through(test.urls.query, { host: "127.0.0.1:1" }) })).toEqual([
      saying("problem", `Cannot reach replica (${test.name}_query at 127.0.0.1:1/`, "host and port"),
    ]);
  });

  it("notices a server that is too old", () => {
    const old = { version: "14.19", number: "140019" };
    expect(judgeVersion("query", old)).toEqual(saying("problem", "PostgreSQL 14.19", "15 or newer"));
  });

  it("notices pending migrations", async () => {
    const take = `delete from migrations.applied where name = '${NEWEST}'`;
    const giveBack = `insert into migrations.applied values ('${NEWEST}')`;
    const found = await ailmentsAfter(test, take, giveBack);
    expect(found).toHaveLength(4);
    expect(found[0]).toEqual(saying("problem", `1 migrations are pending`, "npm run migrate"));
    expect(found[0]!.what).toContain(NEWEST);
  });

  it("notices a database that is newer than the code", async () => {
    const add = "insert into migrations.applied values ('9999_future')";
    const found = await ailmentsAfter(
      test,
      add,
      "delete from migrations.applied where name = '9999_future'",
    );
    expect(found).toHaveLength(4);
    expect(found[0]).toEqual(saying("warning", "newer than this code: 9999_future", "Deploy"));
  });

  it("notices that notifications do not arrive: listening elsewhere", async () => {
    const elsewhere = new URL(test.urls.direct);
    const admin = new URL(test.urls.owner);
    Object.assign(elsewhere, { username: admin.username, password: admin.password, pathname: "/postgres" });
    const found = await ailments(test, { direct: elsewhere.href });
    expect(found).toContainEqual(
      saying("warning", "Notifications do not arrive at direct", "DATABASE_DIRECT_URL"),
    );
  });

  it.each([
    ["without a unique index", "create index other on read.grams_by_label (label)"],
    [
      "whose index is on an expression",
      "create unique index other on read.grams_by_label (label, (jars + 0))",
    ],
    ["whose index is on a part", "create unique index other on read.grams_by_label (label) where jars > 0"],
  ])("notices a materialized view %s", async (_, other) => {
    const key = "create unique index grams_by_label_key on read.grams_by_label (label)";
    expect(
      await ailmentsAfter(
        test,
        `drop index read.grams_by_label_key; ${other}`,
        `drop index read.other; ${key}`,
      ),
    )
      .toEqual([saying("problem", "read.grams_by_label cannot be refreshed", "create unique index")]);
  });

  it("notices rows without a key in a materialized view", async () => {
    const view = (definition: string) => `
      drop materialized view read.grams_by_label;
      create materialized view read.grams_by_label as ${definition};
      create unique index grams_by_label_key on read.grams_by_label (label)`;
    const real = "select * from read.grams_by_label_source";
    expect(await ailmentsAfter(test, view(`${real} union all select null, 1, 2`), view(real))).toEqual([
      saying("warning", "read.grams_by_label has rows without a key", "label"),
    ]);
  });

  it("notices a clock that is wrong", async () => {
    const logins: Login[] = [{ role: "query", url: test.urls.query, db: test.query }];
    const shifted = (ms: number) => checkClocks(logins, () => Date.now() + ms);
    // Seconds without a fraction: a statement on a busy machine may take a tenth of one.
    expect(await shifted(60_000)).toEqual([saying("warning", / (59|60)\.\d s ahead of /, "NTP")]);
    expect(await shifted(-60_000)).toEqual([saying("warning", / (59|60)\.\d s behind /, "NTP")]);
    expect((await shifted(500))[0]!.level).toBe("ok");
  });

  it("notices a login that may have too few connections", async () => {
    const limit = `alter role "${test.name}_command" connection limit`;
    expect(await ailmentsAfter(test, `${limit} 5`, `${limit} -1`)).toEqual([
      saying("problem", "may have 5 connections, and a process may open 28", "connection limit 28"),
    ]);
  });

  it("notices a database and a server with too few connections", async () => {
    const limit = `alter database "${test.name}" connection limit`;
    const found = await ailmentsAfter(test, `${limit} 30`, `${limit} -1`);
    expect(found[0]).toEqual(
      saying("problem", "room for 30 connections, and a process may open 45", "max_connections"),
    );

    const logins: Login[] = [{ role: "query", url: test.urls.query, db: test.query }];
    const [finding] = await checkConnections(logins, { command: 5_000, query: 10, relay: 10 });
    expect(finding).toEqual(saying("problem", "a process may open 5020", "max_connections"));
  });
});
