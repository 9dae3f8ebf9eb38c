import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { beforeAll, describe, expect, it } from "vitest";
import { type Answer } from "../../support/app.ts";
import { useShopApp } from "../support/shop.ts";
import { confirm, newCustomer, newOrder, newProduct } from "../support/http-shop.ts";
import { expectProblem } from "../../support/problem.ts";

const ORDERS = 25;

const app = useShopApp();
let ada: string;
/** Ada's orders, newest first; of equal times, the larger id first. */
let newest: string[];

beforeAll(async () => {
  ada = await newCustomer(app);
  const lines = [{ productId: (await newProduct(app)).id, quantity: 1 }];
  const ids: string[] = [];
  for (let count = 0; count < ORDERS; count++) ids.push((await newOrder(app, { customerId: ada, lines })).id);
  // Only three times: a page ends between orders of the same time.
  for (const [index, id] of ids.entries()) {
    const placed_at = new Date(Date.UTC(2020, 0, 1 + index % 3));
    await app.database.owner.updateTable("write.orders").set({ placed_at }).where("id", "=", id).execute();
  }
  const rank = (id: string) => `${ids.indexOf(id) % 3} ${id}`;
  newest = ids.toSorted((one, other) => rank(one) < rank(other) ? 1 : -1);

  await app.post(`/orders/${ids[0]}/cancel`, { reason: "changed my mind" });
  await confirm(app, ids[1]!);
  await newOrder(app, { lines });
  await app.drained();
});

const idsOf = ({ body }: Answer): string[] => body.items.map(({ id }: { id: string }) => id);

async function pages(query: string): Promise<string[][]> {
  const pages: string[][] = [];
  for (let after: string | null = ""; after !== null;) {
    const answer: Answer = await app.get(`/orders?${query}${after && `&after=${after}`}`);
    pages.push(idsOf(answer));
    after = answer.body.next;
  }
  return pages;
}

describe("GET /orders", () => {
  it("has pages of 20, newest first, that hold each order once", async () => {
    const [first, second, ...more] = await pages(`customerId=${ada}`);
    expect([first, second]).toEqual([newest.slice(0, 20), newest.slice(20)]);
    expect(more).toEqual([]);
  });

  it.each([1, 4, 9, 25, 100])("has pages of %d", async (limit) => {
    const found = await pages(`customerId=${ada}&limit=${limit}`);
    expect(found.flat()).toEqual(newest);
    expect(found).toHaveLength(Math.ceil(ORDERS / limit));
  });

  it("does not repeat or skip an order when newer ones come in between", async () => {
    const first = await app.get(`/orders?customerId=${ada}&limit=10`);
    await newOrder(app, { customerId: ada, lines: [{ productId: (await newProduct(app)).id, quantity: 1 }] });
    await app.drained();
    const second = await app.get(`/orders?customerId=${ada}&limit=100&after=${first.body.next}`);
    expect([...idsOf(first), ...idsOf(second)]).toEqual(newest);
  });

  it("shows the orders of one customer, or of one status, or of both", async () => {
    expect(idsOf(await app.get("/orders?limit=100")).length).toBeGreaterThan(ORDERS);
    expect(await pages("status=confirmed")).toHaveLength(1);
    for (const status of ["confirmed", "cancelled"]) {
      const { body } = await app.get(`/orders?status=${status}&customerId=${ada}`);
      expect(body.items.map((item: { status: string }) => item.status)).toEqual([status]);
    }
    expect(await app.get("/orders?status=shipped")).toMatchObject({
      status: 200,
      body: { items: [], next: null },
    });
    expect((await app.get(`/orders?customerId=${randomUUID()}`)).body).toEqual({ items: [], next: null });
  });

  it("shows each order as GET /orders/{id} does", async () => {
    const { body } = await app.get("/orders?status=cancelled");
    const { body: order } = await app.get(`/orders/${body.items[0].id}`);
    expect(body.items).toEqual([order]);
  });

  it.each([
    "customerId=ada",
    "status=lost",
    "limit=0",
    "limit=101",
    "limit=-1",
    "limit=x",
    "after=x",
    "after=WyIxIl0",
    "page=2",
  ])("answers 400 to ?%s", async (query) => {
    const pointer = query === "page=2" ? "#" : `#/${query.split("=")[0]}`;
    expectProblem(await app.get(`/orders?${query}`), 400, "invalid-input", [pointer]);
  });
});

describe("GET /orders, where orders are as large as they can be,", () => {
  it("has shorter pages, of a bounded size, that hold each order once", async () => {
    const name = "漢".repeat(200);
    const lines = Array.from({ length: 100 }, () => ({
      productId: randomUUID(),
      name,
      quantity: 1,
      unitPriceCents: 1,
    }));
    const customerId = randomUUID();
    const ids = Array.from({ length: 60 }, () => randomUUID());
    await app.database.owner.insertInto("read.order_details").values(ids.map((id) => ({
      order_id: id,
      customer_id: customerId,
      status: "placed",
      reason: null,
      total_cents: "100",
      lines: sql`${JSON.stringify(lines)}::text::jsonb` as never,
      placed_at: new Date(),
      version: 1,
    }))).execute();

    const seen: string[] = [];
    for (let after: string | null = ""; after !== null;) {
      const { body }: Answer = await app.get(
        `/orders?customerId=${customerId}&limit=100${after && `&after=${after}`}`,
      );
      expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThan(1_500_000);
      seen.push(...body.items.map(({ id }: { id: string }) => id));
      after = body.next;
    }
    expect(seen.toSorted()).toEqual(ids.toSorted());
  });
});
