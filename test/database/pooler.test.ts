import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { readSettings } from "../../src/compose.ts";
import { databaseUrls } from "../../src/config.ts";
import { poolerOf, withPooler } from "../../src/database/pooler.ts";
import { isStatementRunning } from "../../src/database/running.ts";
import { giveRolesTheirPasswords } from "../../src/migrate/passwords.ts";
import { useTestDatabase } from "../support/database.ts";
import { findPgBouncer, type PgBouncer, startPgBouncer, throughPort } from "../support/pgbouncer.ts";
import { until } from "../support/until.ts";

describe("a URL", () => {
  it.each([
    ["postgres://jars@127.0.0.1:5432/jars", "none"],
    ["postgres://jars@ep-cool-darkness-123456.eu-central-1.aws.neon.tech/jars", "none"],
    ["postgres://jars@ep-cool-darkness-123456-pooler.eu-central-1.aws.neon.tech/jars", "transaction"],
    ["postgres://jars.abc@aws-0-eu-central-1.pooler.supabase.com:6543/postgres", "transaction"],
    ["postgres://jars.abc@aws-0-eu-central-1.pooler.supabase.com:5432/postgres", "none"],
    ["postgres://jars@db.abc.supabase.co:6543/postgres", "transaction"],
    ["postgres://jars@db.abc.supabase.co:5432/postgres", "none"],
    ["postgres://jars@db:6432/jars", "transaction"],
    ["postgres://jars@db:6543/jars", "none"],
    ["postgres://jars@db/jars?pgbouncer=true", "transaction"],
    ["postgres://jars@db/jars?pgbouncer=false", "none"],
    ["postgres://jars@0123abcd.hyperdrive.local:5432/jars", "transaction-prepared"],
    ["postgres://jars@db:6432/jars?pooler=none", "none"],
    ["postgres://jars@db/jars?pool_mode=transaction", "transaction"],
    ["postgres://jars@db/jars?pool_mode=session", "none"],
  ])("%s leads to a pooler: %s", (url, pooler) => {
    expect(poolerOf(url)).toBe(pooler);
  });
});

describe("DATABASE_POOLER", () => {
  const given = {
    DATABASE_URL: "postgres://jars@db:6432/jars",
    QUERY_DATABASE_URL: "postgres://jars@other/jars",
  };
  const poolers = (settings: Record<string, string>) => {
    const urls = databaseUrls({
      ...readSettings({ ...given, ...settings }),
      DATABASE_URL: given.DATABASE_URL,
    });
    return Object.fromEntries(Object.entries(urls).map(([role, url]) => [role, poolerOf(url)]));
  };

  it("is recognized for each URL", () => {
    expect(poolers({})).toEqual({
      owner: "transaction",
      command: "transaction",
      query: "transaction",
      replica: "none",
      relay: "transaction",
      direct: "transaction",
    });
  });

  it("is that of the primary for queries that the replica cannot answer", () => {
    const command = { COMMAND_DATABASE_URL: "postgres://jars@primary/jars?pgbouncer=true" };
    expect(poolers(command)).toMatchObject({ command: "transaction", query: "transaction", replica: "none" });
  });

  it.each(["none", "transaction", "transaction-prepared"])("goes before what is recognized: %s", (pooler) => {
    expect(new Set(Object.values(poolers({ DATABASE_POOLER: pooler })))).toEqual(new Set([pooler]));
  });

  it("has nothing to do with DATABASE_DIRECT_URL", () => {
    const direct = { DATABASE_DIRECT_URL: "postgres://jars@db:6432/jars", DATABASE_POOLER: "transaction" };
    expect(poolers(direct)).toMatchObject({ owner: "none", direct: "none", relay: "transaction" });
  });

  it("stops the start when it is none of those", () => {
    expect(() => readSettings({ DATABASE_POOLER: "pgbouncer" })).toThrow(
      "Cannot start: DATABASE_POOLER is none of auto, none, transaction, transaction-prepared",
    );
  });
});

describe("the login of a URL that names the project after the user, as Supabase's do,", () => {
  const test = useTestDatabase();

  it("is given its password", async () => {
    const direct = new URL(test.urls.owner);
    Object.assign(direct, { username: `${test.name}_query`, password: "se%40me" });
    const pooled = new URL(direct);
    pooled.username += ".project";
    await giveRolesTheirPasswords(test.owner, [pooled.href]);
    expect(await sql`select 1 as one`.execute(test.open(direct.href))).toMatchObject({ rows: [{ one: 1 }] });
  });
});

const pgBouncer = await findPgBouncer();
if (!pgBouncer) console.log("skipped: connections through PgBouncer, there is no PgBouncer");

describe.skipIf(!pgBouncer)("through PgBouncer, which pools transactions,", () => {
  const test = useTestDatabase();
  let pooling: PgBouncer;
  beforeAll(async () => {
    pooling = await startPgBouncer(pgBouncer!, inject("adminUrl"), "transaction");
  });
  afterAll(() => pooling.stop());
  const url = (pooler: "none" | "transaction") =>
    withPooler(throughPort(test.urls.direct, pooling.port), pooler);

  it("a pool that takes it for a session is refused", async () => {
    const db = test.open(url("none"));
    await expect(sql`select 1`.execute(db)).rejects.toThrow(/startup parameter/);
  });

  it("statements and transactions of many clients are answered, in whichever sessions", async () => {
    const db = test.open(url("transaction"), { max: 60 });
    const one = (n: number) => sql<{ n: number }>`select ${n}::integer as n`.execute(db);
    const inTransaction = (n: number) =>
      db.transaction().execute((trx) => sql<{ n: number }>`select ${n}::integer as n`.execute(trx));
    const numbers = Array.from({ length: 200 }, (_, n) => n);
    const answers = await Promise.all(numbers.map((n) => n % 2 ? one(n) : inTransaction(n)));
    expect(answers.map(({ rows }) => rows[0]!.n)).toEqual(numbers);
  });

  it("the limits of the login hold", async () => {
    const { rows } = await sql`show statement_timeout`.execute(test.open(url("transaction")));
    expect(rows).toEqual([{ statement_timeout: "5min" }]);
  });

  it("a statement that runs is told from one that does not", async () => {
    const db = test.open(url("transaction"));
    const text = "select pg_sleep(600), 'long'";
    expect(await isStatementRunning(url("transaction"), text)).toBe(false);
    const long = sql.raw(text).execute(db).catch((error: Error) => error.message);
    await until("it runs", () => isStatementRunning(url("transaction"), text));
    await sql`select pg_cancel_backend(pid) from pg_stat_activity where query = ${text}`.execute(test.relay);
    expect(await long).toContain("canceling statement");
  });
});
