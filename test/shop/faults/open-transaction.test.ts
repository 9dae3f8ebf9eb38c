import { sql } from "kysely";
import { randomBytes } from "node:crypto";
import { describe, expect, inject, it } from "vitest";
import { createClient } from "../../../src/client.ts";
import { provision } from "../../../src/process/provision.ts";
import type { Database } from "../../../src/database/database.ts";
import { fromToken } from "../../../src/http/token.ts";
import { hold } from "../../support/hold.ts";
import { useRunningShop } from "../support/running-shop.ts";
import { until } from "../../support/until.ts";
import { shortOrLong } from "../../faults/support/length.ts";
import { verify } from "./support/oracle.ts";
import { report } from "../../faults/support/report.ts";

const HOLD_MS = shortOrLong(4_000, 60_000);
const SHOWN_MS_MAX = 10_000;

const shop = useRunningShop();
const acknowledged: string[] = [];

describe("a writer that holds its transaction open", () => {
  it.each([
    { where: "in this database", open: () => holdEvent() },
    { where: "in another database of the server", open: () => holdElsewhere() },
  ])("$where keeps nobody else's events from being shown", async ({ where, open }) => {
    const { end } = await open();
    const delaysMs: number[] = [];
    for (const end = performance.now() + HOLD_MS; performance.now() < end;) {
      delaysMs.push(await addAndSee());
    }
    delaysMs.sort((one, other) => one - other);
    const remark = `${HOLD_MS / 1_000} s ${where}: others shown after p50 ${at(delaysMs, 50)} ms, ` +
      `p99 ${at(delaysMs, 99)} ms; ${await sizes()}`;
    expect(delaysMs.length).toBeGreaterThan(0);
    await end();
    const verdict = await verify(shop.database.owner, { acknowledged });
    await report("Transaction held open", verdict, { seed: "none" }, remark);
    expect(verdict).toMatchObject({ missed: 0, twice: 0, outOfOrder: 0 });
  }, HOLD_MS + 30_000);
});

/** Adds a product during the open transaction. Returns the ms from the answer until queries show it. */
async function addAndSee(): Promise<number> {
  const client = createClient(shop.url);
  const added = await client.products.$post({ json: { name: "Desk lamp", priceCents: 4_900 } });
  expect(added.status).toBe(201);
  const { id, token } = await added.json() as { id: string; token: string };
  acknowledged.push(fromToken(token));
  const answered = performance.now();
  await until(`product ${id} is shown`, async () => {
    const { status } = await fetch(`${shop.url}/products/${id}`, {
      headers: { "Consistency-Token": token, "Prefer": "wait=5" },
    });
    return status === 200;
  }, SHOWN_MS_MAX);
  return performance.now() - answered;
}

/** Appends an event to a new stream, without a commit, as the owner: without a limit for transactions. */
async function holdEvent() {
  const events = JSON.stringify([{ id: crypto.randomUUID(), type: "Held", data: {}, metadata: {} }]);
  const held = await hold(
    shop.database.owner,
    (trx) =>
      sql`select write.append(${`held-${crypto.randomUUID()}`}, 0, ${events}::text::jsonb, null)`.execute(
        trx,
      ),
  );
  return { end: held.commit };
}

async function holdElsewhere() {
  const name = `t_${randomBytes(6).toString("hex")}`;
  const { owner } = await provision(inject("adminUrl"), name);
  const other = shop.database.open(owner, { max: 1 });
  const held = await hold(other, (trx) => sql`create table public.busy as select 1 as row`.execute(trx));
  return {
    async end() {
      await held.commit();
      await other.destroy();
      await drop(shop.database.open(inject("adminUrl"), { max: 1 }), name);
    },
  };
}

async function drop(admin: Database, name: string): Promise<void> {
  await sql`drop database ${sql.id(name)}`.execute(admin);
  await sql`drop role ${sql.id(`${name}_owner`)}`.execute(admin);
}

function at(sorted: number[], percent: number): number {
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? 0);
}

async function sizes(): Promise<string> {
  const tables = ["relay.state", "relay.checkpoints", "relay.outbox_start", "write.outbox"];
  const { rows } = await sql<{ size: string }>`
    select name || ' ' || pg_total_relation_size(name::regclass) / 1024 || ' kB' as size
    from unnest(${tables}::text[]) as name`.execute(shop.database.owner);
  return rows.map(({ size }) => size).join(", ");
}
