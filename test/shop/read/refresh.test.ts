import fc from "fast-check";
import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { app } from "../../../src/app.ts";
import { readModelSubscriptions } from "../support/shop.ts";
import { CommandRejected } from "../../../src/errors.ts";
import { changePrice } from "../../../src/features/catalog/commands/change-price.ts";
import { receiveStock } from "../../../src/features/inventory/commands/receive-stock.ts";
import { releaseStock } from "../../../src/features/inventory/commands/release-stock.ts";
import { reserveStock } from "../../../src/features/inventory/commands/reserve-stock.ts";
import { cancelOrder } from "../../../src/features/ordering/commands/cancel-order.ts";
import { confirmOrder } from "../../../src/features/ordering/commands/confirm-order.ts";
import { placeOrder } from "../../../src/features/ordering/commands/place-order.ts";
import { shipOrder } from "../../../src/features/ordering/commands/ship-order.ts";
import { drain } from "../../../src/relay/drain.ts";
import { createRelay } from "../../../src/relay/relay.ts";
import { execute } from "../../../src/write/execute.ts";
import { aCustomer, aProduct } from "../support/arrange.ts";
import { anybody } from "../../support/context.ts";
import { useTestDatabase } from "../../support/database.ts";

const test = useTestDatabase();
const relay = () => (createRelay({ db: test.relay, subscriptions: readModelSubscriptions }));

const place = fc.nat(2);
const latest = fc.constantFrom(0, 0, 0, 1, 2);
const step = fc.oneof(
  fc.record({
    do: fc.constant("place" as const),
    lines: fc.uniqueArray(place, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ do: fc.constantFrom("confirm", "ship", "cancel"), order: latest }),
  fc.record({
    do: fc.constantFrom("price", "receive", "reserve", "release"),
    product: place,
    number: fc.integer({ min: 1, max: 9 }),
  }),
  fc.record({ do: fc.constant("drain" as const), batch: fc.integer({ min: 1, max: 4 }) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

describe("every read model", () => {
  it("equals its definition when the relay has nothing left to do, whatever was done", async () => {
    const customerId = await aCustomer(test.command);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        const products = await Promise.all([0, 1, 2].map(() => aProduct(test.command, { pieces: 5 })));
        const orders: string[] = [];
        for (const one of steps) await take(one, { customerId, products, orders });
        await sql`update relay.checkpoints set rests_until = '-infinity'`.execute(test.owner);
        await drain(relay(), 10_000);
        for (const { name } of app.readModels) expect([name, await difference(name)]).toEqual([name, []]);
      }),
      { numRuns: 30 },
    );
  }, 60_000);
});

interface World {
  customerId: string;
  products: string[];
  orders: string[];
}

async function take(step: Step, { customerId, products, orders }: World): Promise<void> {
  if (step.do === "drain") return void await drain(relay(), 0, step.batch);
  try {
    if (step.do === "place") {
      const lines = step.lines.map((index) => ({ productId: products[index]!, quantity: index + 1 }));
      const { id } = await execute(test.command, placeOrder, { input: { customerId, lines } }, anybody);
      orders.unshift(id);
    } else if ("order" in step) {
      const id = orders[step.order];
      if (id) await changeOrder(step.do, id);
    } else await changeProduct(step.do, products[step.product]!, step.number, orders[0] ?? customerId);
  } catch (error) {
    if (!(error instanceof CommandRejected)) throw error;
  }
}

async function changeOrder(what: string, id: string): Promise<void> {
  if (what === "confirm") await execute(test.command, confirmOrder, { id, input: {} }, anybody);
  if (what === "ship") await execute(test.command, shipOrder, { id, input: {} }, anybody);
  if (what === "cancel") {
    await execute(test.command, cancelOrder, { id, input: { reason: "changed" } }, anybody);
  }
}

async function changeProduct(what: string, id: string, quantity: number, orderId: string): Promise<void> {
  if (what === "price") {
    await execute(test.command, changePrice, { id, input: { priceCents: quantity } }, anybody);
  }
  if (what === "receive") await execute(test.command, receiveStock, { id, input: { quantity } }, anybody);
  if (what === "reserve") {
    await execute(test.command, reserveStock, { id, input: { orderId, quantity } }, anybody);
  }
  if (what === "release") await execute(test.command, releaseStock, { id, input: { orderId } }, anybody);
}

/** Returns the rows found in the read model only, or in the definition only. */
async function difference(name: string): Promise<unknown[]> {
  const [model, source] = [sql.table(`read.${name}`), sql.table(`read.${name}_source`)];
  const { rows } = await sql`
    (select * from ${model} except all select * from ${source})
    union all (select * from ${source} except all select * from ${model})`.execute(test.query);
  return rows;
}
