import pMap from "p-map";
import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { app } from "../../../src/app.ts";
import { placeOrder } from "../../../src/features/ordering/commands/place-order.ts";
import { collectPayments } from "../../../src/features/payments/collect-payments.ts";
import { sampleGateway } from "../../../src/features/payments/sample-gateway.ts";
import { createRelay, type Relay } from "../../../src/relay/relay.ts";
import { subscribeHandler } from "../../../src/relay/handlers/subscribe-handler.ts";
import { runRelay } from "../../../src/relay/waking/run.ts";
import { execute } from "../../../src/write/execute.ts";
import { FAULT_MS, shortOrLong } from "../../faults/support/length.ts";
import { report } from "../../faults/support/report.ts";
import { anybody } from "../../support/context.ts";
import { useTestDatabase } from "../../support/database.ts";
import { deleteLanes } from "../../support/handlers.ts";
import { until } from "../../support/until.ts";
import { aCustomer, aProduct } from "../support/arrange.ts";
import { readModelSubscriptions } from "../support/shop.ts";
import { settled, verify } from "./support/oracle.ts";
import { useRelayPrograms } from "./support/relay-programs.ts";

const RIGHT = { missed: 0, twice: 0, outOfOrder: 0 };
const ORDERS = shortOrLong(100, 500);
const SETTLED_MS = 120_000;

describe("a payment gateway", () => {
  const database = useTestDatabase();
  const relayWith = useRelayPrograms();

  it.each([20, 90])("that hangs for %d orders holds up no other order", async (hanging) => {
    const relay = startRelay();
    const stuck = await place(hanging, "hangs");
    await until(
      "all are asked for",
      async () => await countPayments(stuck, "answer_due_at is not null") === hanging,
    );
    const others = await place(10, "visa");
    await until("the others are confirmed", async () => await countOrders(others, "confirmed") === 10);
    expect(await countOrders(stuck, "placed")).toBe(hanging);
    await sql`update write.payments set token = 'visa' where token = 'hangs'`.execute(database.owner);
    await sql`update write.payments set answer_due_at = now() where order_id = any(${stuck}::uuid[])`.execute(
      database.owner,
    );
    await until("the time is up", async () => await countOrders(stuck, "cancelled") === hanging, 20_000);
    await relay.stop();
    await deleteLanes(database);
  }, FAULT_MS);

  it(
    "that is slow for everybody times nobody out: a call begins when a place is free, and then its time",
    async () => {
      const relay = startRelay();
      const orders = await place(2 * ORDERS, "slow-2000");
      await untilAllConfirmed(orders);
      await expectRight("Gateway slow for everybody", `${orders.length} orders, calls of 2 s`);
      await relay.stop();
    },
    FAULT_MS,
  );

  it("with calls under way when the relay is killed is asked again, and nobody is cancelled", async () => {
    const killed = relayWith(database.urls);
    const orders = await place(ORDERS, "slow-2000");
    await until(
      "calls are under way",
      async () => await countPayments(orders, "answer_due_at is not null") > ORDERS / 2,
      FAULT_MS,
    );
    killed.signal("SIGKILL");
    await until("it is dead", () => killed.ended() !== undefined);
    const relay = startRelay();
    await untilAllConfirmed(orders);
    await expectRight("Relay killed during slow calls", `${orders.length} orders, calls of 2 s`);
    await relay.stop();
  }, FAULT_MS);

  it("that is down for everybody parks nothing, and all are confirmed when it is back", async () => {
    let isDown = true;
    const books = sampleGateway(database.command);
    const relay = startRelay({
      ...books,
      take: (...given) => isDown ? Promise.reject(new Error("away")) : books.take(...given),
    });
    const orders = await place(ORDERS, "visa");
    await until("it says that it is down", async () => {
      const { last_error } = await database.owner.selectFrom("relay.checkpoints").select("last_error")
        .where("subscription", "=", "payments").executeTakeFirstOrThrow();
      return last_error === "Down, with a try every second: away";
    });
    isDown = false;
    await untilAllConfirmed(orders);
    await expectRight("Gateway down for everybody", `${orders.length} orders, none was parked`);
    await relay.stop();
  }, FAULT_MS);

  it("sees a popular product's orders one after another, without a conflict", async () => {
    const before = await countRolledBack();
    const relay = startRelay();
    const orders = await place(ORDERS, "visa", 1);
    await untilAllConfirmed(orders);
    await settled(database.owner);
    const conflicts = await countRolledBack() - before;
    await expectRight("Popular product", `${orders.length} orders, ${conflicts} statements undone`);
    await relay.stop();
    expect(conflicts).toBeLessThan(ORDERS / 10);
  }, FAULT_MS);

  async function untilAllConfirmed(orders: string[]): Promise<void> {
    await until(
      "all are confirmed",
      async () => await countOrders(orders, "confirmed") === orders.length,
      SETTLED_MS,
    );
  }

  /** Waits until every event is handled, checks all stored data, and prints the row of the fault. */
  async function expectRight(fault: string, remark: string): Promise<void> {
    const verdict = await verify(database.owner, { acknowledged: [] });
    await report(fault, verdict, { seed: "none" }, remark);
    expect(verdict).toMatchObject(RIGHT);
  }

  /** Starts a relay of the shop in this process. */
  function startRelay(gateway = sampleGateway(database.command)) {
    const stopping = new AbortController();
    const [fulfilment] = app.handlers(database.command);
    const relay: Relay = createRelay({
      db: database.relay,
      subscriptions: [
        ...readModelSubscriptions,
        ...[fulfilment!, collectPayments(database.command, gateway)].map(subscribeHandler),
      ],
      timers: app.timers(database.command),
      stopping: stopping.signal,
    });
    const running = runRelay(relay, database.urls.relay, stopping.signal);
    return {
      async stop() {
        stopping.abort();
        await relay.crew.interrupt();
        await running;
      },
    };
  }

  /** Places orders, each for one of several products. Returns the ids. */
  async function place(orders: number, paymentToken: string, products = 20): Promise<string[]> {
    const customerId = await aCustomer(database.command);
    const ids = await pMap(Array(products).fill(0), () => aProduct(database.command, { pieces: 1_000 }));
    return await pMap(
      Array.from({ length: orders }, (_, place) => ids[place % products]!),
      async (productId) => {
        const input = { customerId, lines: [{ productId, quantity: 1 }], paymentToken };
        return (await execute(database.command, placeOrder, { input }, anybody)).id;
      },
      { concurrency: 8 },
    );
  }

  async function countOrders(ids: string[], status: string): Promise<number> {
    const { rows: [row] } = await sql<{ count: number }>`
      select count(*) from write.orders where id = any(${ids}::uuid[]) and status = ${status}`.execute(
      database.owner,
    );
    return Number(row!.count);
  }

  async function countPayments(ids: string[], condition: string): Promise<number> {
    const { rows: [row] } = await sql<{ count: number }>`
      select count(*) from write.payments where order_id = any(${ids}::uuid[]) and ${sql.raw(condition)}`
      .execute(database.owner);
    return Number(row!.count);
  }

  async function countRolledBack(): Promise<number> {
    const { rows: [row] } = await sql<{ count: number }>`
      select xact_rollback as count from pg_stat_database where datname = current_database()`.execute(
      database.owner,
    );
    return Number(row!.count);
  }
});
