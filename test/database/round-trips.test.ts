import { beforeEach, describe, expect, it } from "vitest";
import { readModelSubscriptions } from "../../src/compose.ts";
import type { Database } from "../../src/database/database.ts";
import { addProduct } from "../../src/features/catalog/commands/add-product.ts";
import { cancelOrder } from "../../src/features/ordering/commands/cancel-order.ts";
import { placeOrder } from "../../src/features/ordering/commands/place-order.ts";
import { findOrder, listOrders } from "../../src/features/ordering/queries/order-details.ts";
import { createRelay, drain, drainBatch } from "../../src/relay/drain.ts";
import { execute } from "../../src/write/execute.ts";
import { aCustomer, anOrder, aProduct } from "../support/arrange.ts";
import { anybody } from "../support/context.ts";
import { useTestDatabase } from "../support/database.ts";
import { useProxy } from "../support/proxy.ts";

/** Keeps the order: messages sent without waiting pass the proxy before the first answer. */
const DELAY_MS = 5;
const LONG_DELAY_MS = 25;
/** Round trips before the first statement on a new connection: startup, and two for the password (SCRAM). */
const CONNECTING = 3;

const test = useTestDatabase();
const proxy = useProxy(() => test.urls.owner);

const lamp = { input: { name: "Desk lamp", priceCents: 4_900 } };

beforeEach(() => {
  proxy.delayMs = DELAY_MS;
});

describe.each([
  { connections: "open connections", isOpen: true, prepare: true },
  { connections: "open connections that cannot prepare", isOpen: true, prepare: false },
  { connections: "new connections", isOpen: false, prepare: true },
  { connections: "new connections that cannot prepare", isOpen: false, prepare: false },
])("on $connections,", ({ isOpen, prepare }) => {
  const connecting = isOpen ? 0 : CONNECTING;

  /** Counts round trips in a row: on open connections, after a first run has prepared the statements. */
  async function roundTripsOf(
    role: "command" | "query" | "relay",
    work: (db: Database) => Promise<unknown>,
    max = 1,
  ): Promise<number> {
    const db = test.open(proxy.url(test.urls[role]), { max, prepare });
    if (isOpen) await work(db);
    Object.assign(proxy, { roundTrips: 0, roundTripsInARow: 0 });
    const began = performance.now();
    await work(db);
    const tookMs = performance.now() - began;
    // A timer may be early by a part of a millisecond.
    expect(tookMs).toBeGreaterThan(proxy.roundTripsInARow * 2 * (proxy.delayMs - 1));
    if (max === 1) expect(proxy.roundTripsInARow).toBe(proxy.roundTrips);
    await db.destroy();
    return proxy.roundTripsInARow - connecting;
  }

  describe("a command", () => {
    it("that has nothing to load takes one round trip", async () => {
      expect(await roundTripsOf("command", (db) => execute(db, addProduct, lamp, anybody))).toBe(1);
    });

    it("takes one round trip with an idempotency key, too", async () => {
      const keyed = () => ({ ...anybody, idempotencyKey: crypto.randomUUID() });
      expect(await roundTripsOf("command", (db) => execute(db, addProduct, lamp, keyed()))).toBe(1);
    });

    it("that loads takes two, whatever it loads", async () => {
      const customerId = await aCustomer(test.command);
      const input = { customerId, lines: [{ productId: await aProduct(test.command), quantity: 1 }] };
      expect(await roundTripsOf("command", (db) => execute(db, placeOrder, { input }, anybody))).toBe(2);

      const orders = [await anOrder(test.command), await anOrder(test.command)];
      const next = () => ({ id: orders.pop()!, input: { reason: "gone" } });
      expect(await roundTripsOf("command", (db) => execute(db, cancelOrder, next(), anybody))).toBe(2);
    });
  });

  it("a query takes one round trip, with a token or without, eventual or strong", async () => {
    const id = await anOrder(test.command);
    await drain(createRelay({ db: test.relay, subscriptions: readModelSubscriptions }), 5_000);
    const { id: eventId } = await test.command.selectFrom("write.events").select("id")
      .where("stream", "=", `order-${id}`).executeTakeFirstOrThrow();
    const token = { level: "token", eventId, waitMs: 0 } as const;

    expect(await roundTripsOf("query", (db) => findOrder(db, id, { level: "eventual" }))).toBe(1);
    expect(await roundTripsOf("query", (db) => findOrder(db, id, token))).toBe(1);
    expect(await roundTripsOf("query", (db) => findOrder(db, id, { level: "strong" }))).toBe(1);
    expect(await roundTripsOf("query", (db) => listOrders(db, { limit: 10 }, { level: "eventual" }))).toBe(1);
  });

  describe("the relay", () => {
    beforeEach(async () =>
      void await drain(createRelay({ db: test.relay, subscriptions: readModelSubscriptions }), 5_000)
    );

    const showAProduct = (count: number) => async (db: Database) => {
      const relay = createRelay({ db, subscriptions: readModelSubscriptions.slice(0, count) });
      await aProduct(test.command);
      const { handled } = await drainBatch(relay);
      await relay.tasks.waitForAll(5_000);
      expect(handled + relay.tasks.collect()).toBe(count);
    };

    it("takes one round trip when there is nothing to do", async () => {
      const look = (db: Database) => drainBatch(createRelay({ db, subscriptions: readModelSubscriptions }));
      expect(await roundTripsOf("relay", look)).toBe(1);
    });

    it("takes three from an event to a read model", async () => {
      expect(await roundTripsOf("relay", showAProduct(1))).toBe(3);
    });

    it("takes three in a row from an event to all read models, and connects once more if it has to", async () => {
      // On a busy machine, simultaneous messages may look like messages in a row; never the other way round.
      proxy.delayMs = LONG_DELAY_MS;
      const all = showAProduct(readModelSubscriptions.length);
      const counts: number[] = [];
      while (counts.length < 3) counts.push(await roundTripsOf("relay", all, readModelSubscriptions.length));
      expect(Math.min(...counts)).toBe(3 + connecting);
    });
  });
});
