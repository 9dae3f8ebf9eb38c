import { sql } from "kysely";
import { beforeAll, describe, expect, it } from "vitest";
import { CommandRejected } from "../../../src/errors.ts";
import { fulfilment } from "../../../src/features/fulfilment/process-manager.ts";
import { placeOrder } from "../../../src/features/ordering/commands/place-order.ts";
import { shipOrder } from "../../../src/features/ordering/commands/ship-order.ts";
import { collectPayments } from "../../../src/features/payments/collect-payments.ts";
import type { PaymentGateway } from "../../../src/features/payments/gateway.ts";
import { sampleGateway } from "../../../src/features/payments/sample-gateway.ts";
import type { Relay } from "../../../src/relay/relay.ts";
import { toHandler } from "../../../src/relay/handlers/process-manager.ts";
import { sleep } from "../../../src/sleep.ts";
import { execute } from "../../../src/write/execute.ts";
import { aCustomer, aProduct } from "../support/arrange.ts";
import { anybody } from "../../support/context.ts";
import { useTestDatabase } from "../../support/database.ts";
import {
  cancel,
  drainWhatIsDue,
  passTimeLimit,
  progressOf,
  shopRelay,
  takenFor,
} from "../support/fulfilment.ts";
import { repeating } from "../../support/handlers.ts";
import { type Random, seededRandom } from "../../support/random.ts";
import { until } from "../../support/until.ts";

const test = useTestDatabase();
let customerId: string;
beforeAll(async () => {
  customerId = await aCustomer(test.command);
});

const ORDERS = 60;

describe("whatever comes in between", () => {
  it(
    "reserved stock is that of open orders, every order ends, and money taken is that of confirmed orders",
    async () => {
      const random = seededRandom("fulfilment");
      const productIds = await Promise.all(
        [40, 60, 80].map((pieces) => aProduct(test.command, { pieces, priceCents: 100 + pieces })),
      );
      const ids: string[] = [];
      const stopping = new AbortController();
      const relays = [1, 2].map(() => keepDraining(shopRelay(test, unreliable(random)), stopping.signal));

      await Promise.all(Array.from({ length: 6 }, async () => {
        while (ids.length < ORDERS) ids.push(await shop(productIds, random));
      }));
      stopping.abort();
      await Promise.all(relays);
      await untilEveryOrderEnds(ids);

      expect(await reservedPieces(productIds)).toEqual(await orderedPieces(productIds));
      expect(await takenFor(test, ids)).toBe(await totalOfConfirmed(ids));
      console.log(await outcomesOf(ids));
    },
    60_000,
  );
});

/** Places an order and, perhaps, cancels or ships the order or lets time limits pass, up to 60 ms later. */
async function shop(productIds: string[], random: Random): Promise<string> {
  const lines = productIds.filter(() => random.chance(60)).map((productId) => ({
    productId,
    quantity: random.between(1, 4),
  }));
  if (lines.length === 0) lines.push({ productId: productIds[0]!, quantity: 1 });
  const input = { customerId, lines, paymentToken: random.chance(15) ? "declined-card" : "visa" };
  const { id } = await execute(test.command, placeOrder, { input }, anybody);
  const fate = random.between(1, 5);
  await sleep(random.between(0, 60));
  const acting = fate === 1
    ? cancel(test, id)
    : fate === 2
    ? ship(id)
    : fate === 3
    ? passTimeLimit(test)
    : undefined;
  await acting?.catch((error) => {
    if (!(error instanceof CommandRejected)) throw error;
  });
  return id;
}

async function ship(id: string): Promise<void> {
  await execute(test.command, shipOrder, { id, input: {} }, anybody);
}

/** Returns the handlers, with repeated events and a gateway failing by chance before or after the work. */
function unreliable(random: Random) {
  const books = sampleGateway(test.command);
  const failing = async <T>(work: () => Promise<T>): Promise<T> => {
    if (random.chance(20)) throw new Error("Lost on the way there");
    const answer = await work();
    await sleep(random.between(0, 20));
    if (random.chance(20)) throw new Error("Lost on the way back");
    return answer;
  };
  const gateway: PaymentGateway = {
    take: (payment, signal) => failing(() => books.take(payment, signal)),
    refund: (payment, signal) => failing(() => books.refund(payment, signal)),
  };
  return [toHandler(test.command, fulfilment), collectPayments(test.command, gateway)]
    .map((handler) => repeating(handler, 2));
}

async function keepDraining(relay: Relay, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await drainWhatIsDue(test, relay);
    await sleep(5, signal);
  }
}

/** Drains with a reliable gateway until each order has ended. */
async function untilEveryOrderEnds(ids: string[]): Promise<void> {
  const relay = shopRelay(test);
  await until("every order is confirmed, shipped or cancelled, and nothing is left to do", async () => {
    await drainWhatIsDue(test, relay);
    const all = await Promise.all(ids.map((id) => progressOf(test, id)));
    const left = await test.owner.selectFrom("relay.lanes").select("stream").execute();
    return left.length === 0 && all.every(({ status }) => status !== "placed");
  }, 30_000);
}

/** Returns the number of orders for each outcome, as text. */
async function outcomesOf(ids: string[]): Promise<string> {
  const counts = new Map<string, number>();
  for (const id of ids) {
    const { status, reason } = await progressOf(test, id);
    counts.set(reason ?? status, (counts.get(reason ?? status) ?? 0) + 1);
  }
  return [...counts].map(([outcome, count]) => `${outcome} ${count}`).join(", ");
}

async function totalOfConfirmed(ids: string[]): Promise<number> {
  const lines = await test.owner.selectFrom("write.order_lines as line")
    .innerJoin("write.orders as order", "order.id", "line.order_id").selectAll("line")
    .where("order.status", "in", ["confirmed", "shipped"]).where("order.id", "in", ids).execute();
  return lines.reduce((sum, { quantity, unit_price_cents }) => sum + quantity * unit_price_cents, 0);
}

async function reservedPieces(productIds: string[]) {
  return await sumUp(sql`
    select product_id, sum(quantity)::int as pieces from write.stock_reservations
    where product_id = any(${productIds}::uuid[]) and quantity > 0 group by product_id order by product_id`);
}

async function orderedPieces(productIds: string[]) {
  return await sumUp(sql`
    select product_id, sum(quantity)::int as pieces from write.order_lines join write.orders on orders.id = order_id
    where product_id = any(${productIds}::uuid[]) and status <> 'cancelled' group by product_id order by product_id`);
}

async function sumUp(query: ReturnType<typeof sql>) {
  return (await query.execute(test.owner)).rows;
}
