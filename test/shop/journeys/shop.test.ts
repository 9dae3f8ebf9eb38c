import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Receipt } from "../../../src/http/carry-out.ts";
import { useRunningShop } from "../support/running-shop.ts";
import { until } from "../../support/until.ts";

const shop = useRunningShop();

const since = ({ token }: Receipt) => ({ headers: { "Consistency-Token": token!, Prefer: "wait=10" } });

describe("A shopper", () => {
  it("orders, is sent the goods, and shows up in the sales", async () => {
    const { client } = shop;
    const customerId = randomUUID();
    const ada = { name: "Ada Lovelace", email: "ada@example.com" };
    expect((await client.customers[":id"].$put({ param: { id: customerId }, json: ada })).status).toBe(201);
    const added = await client.products.$post({ json: { name: "Desk lamp", priceCents: 4_900 } });
    const product = await added.json();
    await client.products[":id"].stock.$post({ param: product, json: { quantity: 10 } });

    const placing = await client.orders.$post({
      json: { customerId, lines: [{ productId: product.id, quantity: 2 }], paymentToken: "visa" },
    });
    expect(placing.status).toBe(201);
    const placed = await placing.json();
    const reading = await client.orders[":id"].$get({ param: placed, query: {} }, since(placed));
    expect(reading.headers.get("consistency")).toBe("token");
    expect(await reading.json()).toMatchObject({ id: placed.id, customerId, totalCents: 9_800 });

    await until("its stock is reserved, its payment taken, and it is to be shipped", async () => {
      const queue = await client.fulfilment.$get({ query: {} });
      return (await queue.json()).items.some(({ id }) => id === placed.id);
    });

    const asking = await client.orders[":id"].progress.$get({
      param: placed,
      query: { consistency: "strong" },
    });
    expect(await asking.json()).toEqual({
      id: placed.id,
      status: "confirmed",
      reason: null,
      reservedPieces: 2,
      payment: "taken",
      amountCents: 9_800,
      refundedCents: null,
      paymentDueAt: null,
    });

    const shipping = await client.orders[":id"].ship.$post({ param: placed, json: {} });
    expect(shipping.status).toBe(200);
    const shipped = await shipping.json();
    const queue = await client.fulfilment.$get({ query: {} }, since(shipped));
    expect((await queue.json()).items).toEqual([]);
    const read = await client.orders[":id"].$get({ param: placed, query: {} }, since(shipped));
    const order = await read.json();
    expect(order).toMatchObject({ status: "shipped", version: shipped.version });

    const sales = await client.sales.daily.$get({ query: {} }, since(shipped));
    expect(await sales.json()).toEqual({
      items: [{ day: order.placedAt.slice(0, 10), orders: 1, revenueCents: 9_800 }],
    });
  });
});
