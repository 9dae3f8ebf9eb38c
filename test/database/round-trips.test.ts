import { beforeAll, describe, expect, it } from "vitest";
import { subscriptions } from "../../src/app.ts";
import type { Database } from "../../src/database/database.ts";
import { addProduct } from "../../src/features/catalog/commands/add-product.ts";
import { cancelOrder } from "../../src/features/ordering/commands/cancel-order.ts";
import { placeOrder } from "../../src/features/ordering/commands/place-order.ts";
import { findOrder, listOrders } from "../../src/features/ordering/queries/order-details.ts";
import { drain, drainBatch } from "../../src/relay/drain.ts";
import { execute } from "../../src/write/execute.ts";
import { anybody } from "../support/context.ts";
import { useTestDatabase } from "../support/database.ts";
import { useProxy } from "../support/proxy.ts";
import { aCustomer, anOrder, aProduct } from "../support/arrange.ts";

const test = useTestDatabase();
const proxy = useProxy(() => test.urls.owner);

const lamp = { input: { name: "Desk lamp", priceCents: 4_900 } };

/** What the work costs on connections that are open and have prepared its statements: the second time counts. */
async function roundTripsOf(work: () => Promise<unknown>): Promise<number> {
  await work();
  proxy.roundTrips = 0;
  await work();
  return proxy.roundTrips;
}

describe("a command", () => {
  let db: Database;
  beforeAll(() => {
    db = test.open(proxy.url(test.urls.command), { max: 1 });
  });

  it("that has nothing to load takes one round trip", async () => {
    expect(await roundTripsOf(() => execute(db, addProduct, lamp, anybody))).toBe(1);
  });

  it("takes one round trip with an idempotency key, too", async () => {
    let key = 0;
    expect(
      await roundTripsOf(() => execute(db, addProduct, lamp, { ...anybody, idempotencyKey: `k${key++}` })),
    ).toBe(1);
  });

  it("that loads takes two, whatever it loads", async () => {
    const customerId = await aCustomer(test.command);
    const lines = [{ productId: await aProduct(test.command), quantity: 1 }];
    expect(await roundTripsOf(() => execute(db, placeOrder, { input: { customerId, lines } }, anybody))).toBe(
      2,
    );

    const orders = [await anOrder(test.command), await anOrder(test.command)];
    const cancel = () => execute(db, cancelOrder, { id: orders.pop()!, input: { reason: "gone" } }, anybody);
    expect(await roundTripsOf(cancel)).toBe(2);
  });
});

describe("a query", () => {
  it("takes one round trip, with a token or without, eventual or strong", async () => {
    const db = test.open(proxy.url(test.urls.query), { max: 1 });
    const id = await anOrder(test.command);
    await drain({ db: test.relay, subscriptions, delayMs: 0 }, 5_000);
    const { id: eventId } = await test.command.selectFrom("write.events").select("id")
      .where("stream", "=", `order-${id}`).executeTakeFirstOrThrow();

    expect(await roundTripsOf(() => findOrder(db, id, { level: "eventual" }))).toBe(1);
    expect(await roundTripsOf(() => findOrder(db, id, { level: "token", eventId, waitMs: 0 }))).toBe(1);
    expect(await roundTripsOf(() => findOrder(db, id, { level: "strong" }))).toBe(1);
    expect(await roundTripsOf(() => listOrders(db, { limit: 10 }, { level: "eventual" }))).toBe(1);
  });
});

describe("the relay", () => {
  it("takes one round trip when there is nothing to do", async () => {
    const relay = { db: test.open(proxy.url(test.urls.relay), { max: 1 }), subscriptions, delayMs: 0 };
    await drain(relay, 5_000);
    expect(await roundTripsOf(() => drainBatch(relay))).toBe(1);
  });

  it("takes three from an event to a read model", async () => {
    const relay = {
      db: test.open(proxy.url(test.urls.relay), { max: 1 }),
      subscriptions: subscriptions.slice(0, 1),
      delayMs: 0,
    };
    await drain(relay, 5_000);
    const work = async () => {
      await aProduct(test.command);
      expect((await drainBatch(relay)).handled).toBe(1);
    };
    expect(await roundTripsOf(work)).toBe(3);
  });
});
