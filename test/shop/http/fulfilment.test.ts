import { describe, expect, it } from "vitest";
import { useShopApp } from "../support/shop.ts";
import { confirm, newOrder } from "../support/http-shop.ts";
import { expectProblem } from "../../support/problem.ts";

const app = useShopApp();

const queued = async (query = "") => {
  await app.drained();
  const { body } = await app.get(`/fulfilment${query}`);
  return body.items.map(({ id }: { id: string }) => id);
};

describe("GET /fulfilment", () => {
  it("shows confirmed orders until they are shipped or cancelled, oldest first", async () => {
    const ids: string[] = [];
    for (let count = 0; count < 3; count++) ids.push((await newOrder(app)).id);
    expect(await queued()).toEqual([]);

    for (const id of ids.toReversed()) await confirm(app, id);
    expect(await queued()).toEqual(ids);
    expect(await queued("?limit=2")).toEqual(ids.slice(0, 2));

    await app.post(`/orders/${ids[0]}/ship`, {});
    await app.post(`/orders/${ids[1]}/cancel`, { reason: "changed my mind" });
    expect(await queued()).toEqual([ids[2]]);
    await app.post(`/orders/${ids[2]}/ship`, {});
    expect(await queued()).toEqual([]);
  });

  it("shows what the one who packs has to know", async () => {
    const { id } = await newOrder(app);
    await confirm(app, id);
    await app.drained();
    const { status: _, reason: __, ...shown } = (await app.get(`/orders/${id}`)).body;
    expect((await app.get("/fulfilment")).body).toEqual({ items: [shown] });
  });

  it.each(["limit=0", "limit=101", "limit=x"])("answers 400 to ?%s", async (query) => {
    expectProblem(await app.get(`/fulfilment?${query}`), 400, "invalid-input", ["#/limit"]);
  });

  it("answers 400 to what it does not know", async () => {
    expectProblem(await app.get("/fulfilment?after=x"), 400, "invalid-input", ["#"]);
  });
});
