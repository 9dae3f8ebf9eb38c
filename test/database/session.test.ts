import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { DatabaseUrls } from "../../src/config.ts";
import { withPooler } from "../../src/database/pooler.ts";
import { listDeviations } from "../../src/database/session.ts";
import { SESSION_SETTINGS } from "../../src/database/session-settings.ts";
import { migrateDatabase } from "../../src/process/migrations.ts";
import { ask } from "../../src/read/ask.ts";
import { subscribeReadModel } from "../../src/read/read-model.ts";
import { drain } from "../../src/relay/drain.ts";
import { createRelay } from "../../src/relay/relay.ts";
import { createLine } from "../../src/relay/waking/line.ts";
import { execute } from "../../src/write/execute.ts";
import { jarDetails, openJar } from "../jars/jar.ts";
import { anybody } from "../support/context.ts";
import { type TestDatabase, useTestDatabase } from "../support/database.ts";
import { newestAndOldest } from "../support/servers.ts";
import { findPgBouncer, type PgBouncer, startPgBouncer } from "../support/pgbouncer.ts";
import { pooled } from "../support/pooler.ts";
import { settingsOf, usePrograms } from "../support/program.ts";
import { until } from "../support/until.ts";

/** Values that change what the program says, or stop the program. */
const STRANGE: Record<keyof typeof SESSION_SETTINGS, string> = {
  DateStyle: "German, DMY",
  bytea_output: "escape",
  extra_float_digits: "-15",
  IntervalStyle: "sql_standard",
  TimeZone: "Asia/Kathmandu",
  default_transaction_isolation: "serializable",
  search_path: "",
  standard_conforming_strings: "off",
  array_nulls: "off",
  idle_session_timeout: "300ms",
  exit_on_error: "on",
  gin_fuzzy_search_limit: "1",
  client_min_messages: "error",
};

const SERVERS = await newestAndOldest("settings");

/** Gives a database strange settings. Open connections keep theirs. */
async function estrange(test: TestDatabase, adminUrl: string): Promise<void> {
  const admin = test.driver(adminUrl);
  for (const [name, value] of Object.entries(STRANGE)) {
    await admin.unsafe(`alter database "${test.name}" set ${name} = '${value}'`);
  }
}

describe.each(SERVERS)("on a database with strange settings, on $server,", ({ useServer }) => {
  const adminUrl = useServer();
  const test = useTestDatabase({ adminUrl, jars: true });
  beforeAll(() => estrange(test, adminUrl()));

  it("every login has the program's settings", async () => {
    for (const login of ["owner", "command", "query", "relay"] as const) {
      expect(await listDeviations(test[login])).toEqual([]);
    }
  });

  it("migrating again works", async () => {
    expect(await migrateDatabase(test.urls)).toEqual([]);
  });

  // The owner has no settings of its own: those of the connection have to do.
  it("a command is carried out, relayed and answered", async () => {
    const before = Date.now();
    const { id } = await execute(test.owner, openJar, { input: { label: "Honey" } }, anybody);
    await drain(createRelay({ db: test.owner, subscriptions: [subscribeReadModel(jarDetails)] }), 5_000);
    const { rows, asOf } = await ask(
      test.owner,
      jarDetails,
      { level: "eventual" },
      (from) => test.owner.selectFrom(from).select("label").where("jar_id", "=", id),
    );
    expect(rows).toEqual([{ label: "Honey" }]);
    expect(asOf.getTime()).toBeGreaterThanOrEqual(before);
  });

  it("values are what they are", async () => {
    const values = sql`
      select '2026-03-02 01:00+01'::timestamptz as at, ${new Date(0)}::timestamptz as early,
        0.1::float8 + 0.2::float8 as sum, ${"\\'"}::text as text, ${[
      null,
      "NULL",
    ]}::text[] = array[null, 'NULL'] as same`;
    expect((await values.execute(test.owner)).rows).toEqual([
      { at: new Date("2026-03-02T00:00Z"), early: new Date(0), sum: 0.1 + 0.2, text: "\\'", same: true },
    ]);
  });

  it("a listening connection stays open, though it has nothing to do", async () => {
    const line = createLine(test.urls.owner, () => {}, new AbortController().signal);
    await line.open();
    const idle = test.driver(test.urls.owner, { connection: { idle_session_timeout: 300 } });
    const [{ pid }] = await idle`select pg_backend_pid() as pid` as unknown as [{ pid: number }];
    await until("a connection without the program's settings is closed", async () => {
      const { rows } = await sql`select from pg_stat_activity where pid = ${pid}`.execute(test.owner);
      return rows.length === 0;
    });
    expect(line.closed.aborted).toBe(false);
    line.end();
  });
});

const pgBouncer = await findPgBouncer();
if (!pgBouncer) console.log("skipped: settings behind PgBouncer, there is no PgBouncer");

describe.skipIf(!pgBouncer)("on a database with strange settings, behind a transaction pooler,", () => {
  const adminUrl = () => inject("adminUrl");
  const test = useTestDatabase({ adminUrl, jars: true });
  const run = usePrograms();
  const poolings: PgBouncer[] = [];
  beforeAll(() => estrange(test, adminUrl()));
  afterAll(() => Promise.all(poolings.map(({ stop }) => stop())));

  /** Returns URLs through a new pooler, which has no session yet. */
  async function pooledAnew(urls: DatabaseUrls): Promise<DatabaseUrls> {
    const pooling = await startPgBouncer(pgBouncer!, adminUrl(), "transaction");
    poolings.push(pooling);
    return pooled(urls, { port: pooling.port, pooler: "transaction" });
  }

  it("the logins of the migrations have the program's settings", async () => {
    const { command, query, relay } = await pooledAnew(test.urls);
    for (const url of [command, query, relay]) {
      expect(await listDeviations(test.open(url))).toEqual([]);
    }
  });

  it("another login stops the start, which says what to do, and does", async () => {
    const { owner } = test.urls;
    const start = async () => {
      const { command } = await pooledAnew({ ...test.urls, command: owner });
      return run("start", {
        settings: { ...settingsOf({ ...test.urls, owner: command, command }), RELAY: "off" },
      });
    };
    const refused = await start();
    expect(await refused.ended).toBe(1);
    expect(refused.output).toMatch(
      /^Cannot work with the database of COMMAND_DATABASE_URL: DateStyle is German, DMY; run "npm run migrate" .*\n$/,
    );

    await migrateDatabase({ ...test.urls, command: withPooler(owner, "transaction") });
    await (await start()).printed(/Listening on (\S+)/);
  });
});
