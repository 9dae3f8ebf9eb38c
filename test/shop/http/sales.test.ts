import { sql } from "kysely";
import { beforeAll, describe, expect, it } from "vitest";
import { useShopApp } from "../support/shop.ts";
import { confirm, newOrder, newProduct } from "../support/http-shop.ts";
import { expectProblem } from "../../support/problem.ts";

const app = useShopApp();

/** An order of three pieces at 1,000 cents and two at 50, placed at the given time. */
async function soldAt(time: string): Promise<string> {
  const [dear, cheap] = [
    await newProduct(app, { priceCents: 1_000 }),
    await newProduct(app, { priceCents: 50 }),
  ];
  const lines = [{ productId: dear.id, quantity: 3 }, { productId: cheap.id, quantity: 2 }];
  const { id } = await newOrder(app, { lines });
  await app.database.owner.updateTable("write.orders").set({ placed_at: new Date(time) }).where("id", "=", id)
    .execute();
  await confirm(app, id);
  return id;
}

beforeAll(async () => {
  await soldAt("2026-03-01T23:59:59.999Z");
  await soldAt("2026-03-02T00:00:00.000Z");
  const shipped = await soldAt("2026-03-02T01:00:00.000Z");
  await app.post(`/orders/${shipped}/ship`, {});
  const cancelled = await soldAt("2026-03-02T12:00:00.000Z");
  await app.post(`/orders/${cancelled}/cancel`, { reason: "changed my mind" });
  await soldAt("2026-03-05T12:00:00.000Z");
  await newOrder(app);
  await app.drained();
});

const first = { day: "2026-03-01", orders: 1, revenueCents: 3_100 };
const second = { day: "2026-03-02", orders: 2, revenueCents: 6_200 };
const fifth = { day: "2026-03-05", orders: 1, revenueCents: 3_100 };

describe("GET /sales/daily", () => {
  it("counts confirmed and shipped orders by the UTC day they were placed", async () => {
    const { status, body } = await app.get("/sales/daily");
    expect({ status, body }).toEqual({ status: 200, body: { items: [first, second, fifth] } });
  });

  it("includes the first and the last day of the range", async () => {
    expect((await app.get("/sales/daily?from=2026-03-02&to=2026-03-05")).body.items).toEqual([second, fifth]);
    expect((await app.get("/sales/daily?to=2026-03-02")).body.items).toEqual([first, second]);
    expect((await app.get("/sales/daily?from=2026-03-06")).body.items).toEqual([]);
    expect((await app.get("/sales/daily?from=2026-03-05&to=2026-03-01")).body.items).toEqual([]);
  });

  it("reads a real materialized view", async () => {
    const views = sql<
      { relkind: string }
    >`select relkind from pg_class where oid = 'read.sales_by_day'::regclass`;
    expect((await views.execute(app.database.owner)).rows).toEqual([{ relkind: "m" }]);
  });

  it.each(["from=yesterday", "from=2026-02-30", "to=2026-3-1", "to=2026-03-01T00:00:00Z"])(
    "answers 400 to ?%s",
    async (query) => {
      expectProblem(await app.get(`/sales/daily?${query}`), 400, "invalid-input", [
        `#/${query.split("=")[0]}`,
      ]);
    },
  );

  it("answers 400 to a day that PostgreSQL does not know", async () => {
    expectProblem(await app.get("/sales/daily?from=0000-01-01"), 400, "invalid-input", ["#/from"]);
  });
});
