import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { readModelSubscriptions } from "../../src/compose.ts";
import { confirmOrder } from "../../src/features/ordering/commands/confirm-order.ts";
import { createRelay, drain } from "../../src/relay/drain.ts";
import { execute } from "../../src/write/execute.ts";
import { anOrder, aProduct } from "../support/arrange.ts";
import { anybody } from "../support/context.ts";
import { useTestDatabase } from "../support/database.ts";

const test = useTestDatabase();
const sales = readModelSubscriptions.filter(({ name }) => name === "sales_by_day");
const drainSales = () => drain(createRelay({ db: test.relay, subscriptions: sales }), 5_000);

describe("a read model that is refreshed whole", () => {
  it("is due again after nine times as long as the refresh took, and not before", async () => {
    await slowDown("0.2");
    await anOrder(test.command, { confirmed: true });
    const startedAt = performance.now();
    await drainSales();
    const tookMs = performance.now() - startedAt;
    expect(await ordersSold()).toBe(1);

    await anOrder(test.command, { confirmed: true });
    await drainSales();
    expect(await ordersSold()).toBe(1);
    const dueInMs = await dueIn();
    expect(dueInMs).toBeGreaterThan(1_000);
    expect(dueInMs).toBeLessThan(9 * tookMs);

    await makeDue();
    await drainSales();
    expect(await ordersSold()).toBe(2);
  });

  it("is not refreshed for events that do not concern it", async () => {
    await slowDown("0");
    await makeDue();
    const before = await filenode();
    await aProduct(test.command);
    expect((await drainSales()).handled).toBe(1);
    expect(await dueIn()).toBeLessThanOrEqual(0);
    expect(await filenode()).toEqual(before);
  });

  it("does not count an order whose events came after the position was read", async () => {
    const id = await anOrder(test.command);
    await drainSales();
    await execute(test.command, confirmOrder, { id, input: {} }, anybody);
    await makeDue();
    await drainSales();
    expect(await ordersSold()).toBe(3);
  });
});

/** Makes each refresh sleep for the given seconds. */
async function slowDown(seconds: string): Promise<void> {
  await sql`
    create or replace view read.sales_by_day_source as
    select (placed_at at time zone 'UTC')::date as day, count(*) as orders, 0::bigint as revenue_cents
    from write.orders where status in ('confirmed', 'shipped') group by day`.execute(test.owner);
  await sql`drop materialized view read.sales_by_day`.execute(test.owner);
  await sql`create materialized view read.sales_by_day as
    select source.* from read.sales_by_day_source as source, (select pg_sleep(${
    sql.lit(seconds)
  }::float)) as slow`.execute(test.owner);
  await sql`create unique index on read.sales_by_day (day)`.execute(test.owner);
}

async function ordersSold(): Promise<number> {
  const { rows } = await sql<{ orders: number }>`select sum(orders)::bigint as orders from read.sales_by_day`
    .execute(test.query);
  return rows[0]?.orders ?? 0;
}

async function dueIn(): Promise<number> {
  const { rows } = await sql<{ ms: number }>`
    select greatest(extract(epoch from rests_until - clock_timestamp()) * 1000, -1)::float as ms
    from relay.checkpoints where subscription = 'sales_by_day'`.execute(test.relay);
  return rows[0]!.ms;
}

async function makeDue(): Promise<void> {
  await sql`update relay.checkpoints set rests_until = '-infinity'`.execute(test.relay);
}

/** Returns the transaction id of the rows: each refresh of the view changes the id. */
async function filenode() {
  const { rows } = await sql`select max(xmin::text) from read.sales_by_day`.execute(test.owner);
  return rows;
}
