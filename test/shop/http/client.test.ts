import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { createClient } from "../../../src/client.ts";
import type { OrderView } from "../../../src/features/ordering/queries/order-details.ts";
import type { Receipt } from "../../../src/http/carry-out.ts";
import { useShopApp } from "../support/shop.ts";

const app = useShopApp();
let client: ReturnType<typeof createClient>;
beforeAll(() => {
  client = createClient(app.url);
});

describe("The typed client", () => {
  it("sends commands and queries to a real server", async () => {
    const customer = await client.customers[":id"].$put({
      param: { id: randomUUID() },
      json: { name: "Ada Lovelace", email: "ada@example.com" },
    });
    const product = await client.products.$post({ json: { name: "Desk lamp", priceCents: 4_900 } });
    const placed = await client.orders.$post({
      json: {
        customerId: (await customer.json()).id,
        lines: [{ productId: (await product.json()).id, quantity: 2 }],
      },
    });
    expect(placed.status).toBe(201);
    const { id, token } = await placed.json();
    await app.drained();

    const shown = await client.orders[":id"].$get(
      { param: { id }, query: {} },
      { headers: { "Consistency-Token": token! } },
    );
    expect(await shown.json()).toMatchObject({ id, totalCents: 9_800, status: "placed" });
    const page = await client.orders.$get({ query: { limit: 1, status: "placed" } });
    expect((await page.json()).items).toEqual([expect.objectContaining({ id })]);
  });

  it("knows what a command takes and answers", () => {
    type PlaceOrder = Parameters<typeof client.orders.$post>[0]["json"];
    expectTypeOf<PlaceOrder>().toEqualTypeOf<{
      id?: string | undefined;
      customerId: string;
      lines: { productId: string; quantity: number }[];
      paymentToken?: string | undefined;
    }>();
    type Answer = Awaited<ReturnType<Awaited<ReturnType<typeof client.orders.$post>>["json"]>>;
    expectTypeOf<Answer>().toEqualTypeOf<Receipt>();
    // @ts-expect-error The catalogue sets the price.
    ((): PlaceOrder => ({ customerId: "", lines: [{ productId: "", quantity: 1, unitPriceCents: 1 }] }));
  });

  it("knows what a query answers", () => {
    type Order = Awaited<ReturnType<Awaited<ReturnType<typeof client.orders[":id"]["$get"]>>["json"]>>;
    expectTypeOf<Order>().toEqualTypeOf<OrderView>();
    type Page = Awaited<ReturnType<Awaited<ReturnType<typeof client.orders.$get>>["json"]>>;
    expectTypeOf<Page>().toEqualTypeOf<{ items: OrderView[]; next: string | null }>();
  });

  it("has no route that the server lacks", () => {
    // @ts-expect-error The server has no invoices.
    expect(client.invoices.$get).toBeTypeOf("function");
  });
});
