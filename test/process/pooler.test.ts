import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { useTestDatabase } from "../support/database.ts";
import { findPgBouncer, type PgBouncer, startPgBouncer, throughPort } from "../support/pgbouncer.ts";
import { settingsOf, usePrograms } from "../support/program.ts";
import { until } from "../support/until.ts";

const pgBouncer = await findPgBouncer();
if (!pgBouncer) console.log("skipped: the program behind PgBouncer, there is no PgBouncer");

describe.skipIf(!pgBouncer)("behind a transaction pooler", () => {
  const database = useTestDatabase({ jars: true });
  const run = usePrograms();
  let pooling: PgBouncer;
  beforeAll(async () => {
    pooling = await startPgBouncer(pgBouncer!, inject("adminUrl"), "transaction");
  });
  afterAll(() => pooling.stop());

  function settings(more: Record<string, string> = {}): Record<string, string> {
    const all = Object.entries(settingsOf(database.urls)).map(([name, value]) => [
      name,
      name.endsWith("_URL") ? throughPort(value, pooling.port) : value,
    ]);
    return {
      ...Object.fromEntries(all),
      DATABASE_POOLER: "transaction",
      OPS_TOKEN: "the-operator-of-the-tests",
      ...more,
    };
  }

  it("migrate refuses, and says what it needs", async () => {
    const refused = run("migrate", { settings: settings() });
    expect(await refused.ended).toBe(1);
    expect(refused.output).toBe(
      `Cannot migrate through a transaction pooler: 127.0.0.1:${pooling.port}; set DATABASE_DIRECT_URL\n`,
    );

    const direct = run("migrate", { settings: settings({ DATABASE_DIRECT_URL: database.urls.owner }) });
    expect(await direct.ended).toBe(0);
    expect(direct.output).toBe("Nothing to apply\n");
  });

  it("start refuses when nothing says that it is one, and says what to set", async () => {
    const refused = run("start", { settings: settings({ DATABASE_POOLER: "none" }) });
    expect(await refused.ended).toBe(1);
    expect(refused.output).toMatch(
      /^Cannot reach the database of \w+_URL at \S+: .*startup parameter.*; this is a pooler: set DATABASE_POOLER=/,
    );
  });

  it("rewind goes past it", async () => {
    const elsewhere = "postgres://nobody@127.0.0.1:1/nowhere";
    const rewind = run("rewind", {
      settings: settings({ DATABASE_DIRECT_URL: database.urls.owner, RELAY_DATABASE_URL: elsewhere }),
    });
    expect(await rewind.ended).toBe(0);
    expect(rewind.output).toBe("Nothing to rewind\n");
  });

  it("start serves and relays; it does not listen, and says so", async () => {
    const program = run("start", { entry: "test/jars/main.ts", settings: settings() });
    const url = await program.printed(/Listening on (\S+)/);
    const { id, token } = await (await fetch(`${url}/jars`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ label: "Honey" }),
    })).json();
    const headers = { "Consistency-Token": token, "Prefer": "wait=10" };
    expect((await fetch(`${url}/jars/${id}`, { headers })).status).toBe(200);

    const relays = await until("the relay is known", async () => {
      const headers = { Authorization: "Bearer the-operator-of-the-tests" };
      const { relays } = await (await fetch(`${url}/ops/relay`, { headers })).json();
      return relays.length > 0 && relays;
    });
    expect(relays).toEqual([expect.objectContaining({ listening: false })]);
    expect(program.output.match(/Cannot be notified.*set DATABASE_DIRECT_URL/g)).toHaveLength(1);
    const { rows } = await sql`select from pg_stat_activity where query = 'listen relay'`
      .execute(database.owner);
    expect(rows).toEqual([]);
  });

  it("start listens through the direct URL", async () => {
    const program = run("start", { settings: settings({ DATABASE_DIRECT_URL: database.urls.relay }) });
    const url = await program.printed(/Listening on (\S+)/);
    await until("the relay hears", async () => {
      const headers = { Authorization: "Bearer the-operator-of-the-tests" };
      const { relays } = await (await fetch(`${url}/ops/relay`, { headers })).json();
      return relays.some(({ listening }: { listening: boolean }) => listening);
    });
    expect(program.output).not.toContain("Cannot be notified");
  });
});
