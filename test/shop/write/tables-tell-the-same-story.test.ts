import * as fc from "fast-check";
import { randomUUID } from "node:crypto";
import { beforeAll, describe, it } from "vitest";
import { addProduct } from "../../../src/features/catalog/commands/add-product.ts";
import { changePrice } from "../../../src/features/catalog/commands/change-price.ts";
import { product } from "../../../src/features/catalog/product.ts";
import { putCustomer } from "../../../src/features/customers/customer.ts";
import { receiveStock } from "../../../src/features/inventory/commands/receive-stock.ts";
import { releaseStock } from "../../../src/features/inventory/commands/release-stock.ts";
import { reserveStock } from "../../../src/features/inventory/commands/reserve-stock.ts";
import { stock } from "../../../src/features/inventory/stock.ts";
import { cancelOrder } from "../../../src/features/ordering/commands/cancel-order.ts";
import { confirmOrder } from "../../../src/features/ordering/commands/confirm-order.ts";
import { placeOrder } from "../../../src/features/ordering/commands/place-order.ts";
import { shipOrder } from "../../../src/features/ordering/commands/ship-order.ts";
import { order } from "../../../src/features/ordering/order.ts";
import { execute } from "../../../src/write/execute.ts";
import { anybody } from "../../support/context.ts";
import { useTestDatabase } from "../../support/database.ts";
import { expectOneStory, step } from "../../support/story.ts";

const RUNS = { numRuns: 30 };

const database = useTestDatabase();
const customerId = randomUUID();
const productIds = [randomUUID(), randomUUID(), randomUUID()];
const orderIds = [randomUUID(), randomUUID(), randomUUID()];

beforeAll(async () => {
  await putCustomer(database.command, customerId, { name: "Ada", email: "ada@example.com" });
  for (const [index, id] of productIds.entries()) {
    await execute(database.command, addProduct, { id, input: { name: id, priceCents: index * 95 } }, anybody);
  }
});

const priceCents = fc.integer({ min: 0, max: 3 });
const quantity = fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 5 }) }, fc.constant(100_000));
const orderId = fc.constantFrom(...orderIds);
const nothing = fc.constant({});

describe("The tables and the log tell the same story", () => {
  it("of a product", async () => {
    const addition = step(
      addProduct,
      fc.record({ name: fc.string({ minLength: 1, unit: "grapheme" }), priceCents }),
    );
    const steps = fc.array(step(changePrice, fc.record({ priceCents })), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(addition, steps, async (addition, steps) => {
        await expectOneStory(database, product, [addition, ...steps]);
      }),
      RUNS,
    );
  });

  it("of a stock", async () => {
    const addition = step(addProduct, fc.constant({ name: "lamp", priceCents: 1 }));
    // Enough for several orders: otherwise most sequences would end in rejections.
    const delivery = step(receiveStock, fc.constant({ quantity: 10 }));
    const steps = fc.array(
      fc.oneof(
        step(receiveStock, fc.record({ quantity })),
        step(reserveStock, fc.record({ orderId, quantity })),
        step(releaseStock, fc.record({ orderId })),
      ),
      { maxLength: 12, size: "max" },
    );
    await fc.assert(
      fc.asyncProperty(addition, delivery, steps, async (addition, delivery, steps) => {
        await expectOneStory(database, stock, [addition, delivery, ...steps]);
      }),
      RUNS,
    );
  });

  it("of an order", async () => {
    const lines = fc.subarray(productIds, { minLength: 1 }).chain((ids) =>
      fc.tuple(...ids.map((productId) => fc.record({ productId: fc.constant(productId), quantity })))
    );
    const token = fc.option(fc.constantFrom("visa", 'a "quoted" \\ token'), { nil: undefined });
    const placing = step(
      placeOrder,
      fc.record({ lines, token }).map(({ lines, token: paymentToken }) => ({
        customerId,
        lines,
        paymentToken,
      })),
    );
    const steps = fc.array(
      fc.oneof(
        step(confirmOrder, nothing),
        step(shipOrder, nothing),
        step(cancelOrder, fc.record({ reason: fc.constantFrom("out-of-stock", "changed my mind") })),
      ),
      { maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(placing, steps, async (placing, steps) => {
        await expectOneStory(database, order, [placing, ...steps]);
      }),
      RUNS,
    );
  });
});
