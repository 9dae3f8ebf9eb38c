import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import type { Database } from "../../src/database/database.ts";
import { useTestDatabase } from "../support/database.ts";
import { until } from "../support/until.ts";

const test = useTestDatabase();

describe("the limits of the run-time roles", () => {
  it.each(
    [
      { role: "command", statement: "5s", lock: "2s", transaction: "10s" },
      { role: "query", statement: "10s", lock: "2s", transaction: "20s" },
      { role: "relay", statement: "5min", lock: "10s", transaction: "310s" },
    ] as const,
  )("are on when one logs in as $role", async ({ role, statement, lock, transaction }) => {
    // Uses the driver alone: the program gives statements a deadline, too.
    const client = test.driver(test.urls[role]);
    const limitOf = async (name: string) =>
      (await client`select current_setting(${name}, true) as value`)[0]!.value as string | null;
    expect(await limitOf("statement_timeout")).toBe(statement);
    expect(await limitOf("lock_timeout")).toBe(lock);
    expect(await limitOf("idle_in_transaction_session_timeout")).toBe("10s");
    expect([transaction, null]).toContain(await limitOf("transaction_timeout"));
    expect(await limitOf("tcp_keepalives_idle")).toBe("30");
    expect(await hasTransactionTimeout(test.owner)).toBe(await limitOf("transaction_timeout") !== null);
  });

  it("end a transaction that is left open", async () => {
    const client = test.driver(test.urls.command);
    await client`set idle_in_transaction_session_timeout = 100`;
    await client`begin`;
    const [row] = await client`select pg_backend_pid() as pid`;
    await until("its session is gone", async () => {
      const { rows } = await sql`select from pg_stat_activity where pid = ${row!.pid}`.execute(test.owner);
      return rows.length === 0;
    });
  });
});

async function hasTransactionTimeout(db: Database): Promise<boolean> {
  const { rows } = await sql`select from pg_settings where name = 'transaction_timeout'`.execute(db);
  return rows.length > 0;
}
