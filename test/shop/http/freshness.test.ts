import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { expectProblem } from "../../support/problem.ts";
import { newOrder, newProduct } from "../support/http-shop.ts";
import { useShopApp } from "../support/shop.ts";

const LISTS = ["/products", "/orders", "/fulfilment", "/sales/daily"];

const app = useShopApp();

describe("Every answer to a query", () => {
  it.each([...LISTS, `/products/${randomUUID()}`, `/orders/${randomUUID()}`])(
    "says how fresh it is: %s",
    async (path) => {
      const { headers } = await app.get(path);
      expect(headers.get("consistency")).toBe("eventual");
      expect(headers.get("as-of-position")).toMatch(/^\d+$/);
      expect(headers.get("as-of")).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    },
  );
});

describe("Consistency-Token", () => {
  it.each(LISTS)("holds for %s", async (path) => {
    const { token } = await newOrder(app);
    const wait = { "consistency-token": token, prefer: "wait=0" };
    expectProblem(await app.get(path, wait), 503, "read-model-behind");
    await app.drained();
    const { status, headers } = await app.get(path, wait);
    expect({ status, consistency: headers.get("consistency") }).toEqual({
      status: 200,
      consistency: "token",
    });
  });
});

describe("?consistency=strong", () => {
  it("shows an order that the read model does not show yet", async () => {
    await app.drained();
    const { id } = await newOrder(app);
    expectProblem(await app.get(`/orders/${id}`), 404, "not-found");
    const strong = await app.get(`/orders/${id}?consistency=strong`);
    expect(strong).toMatchObject({ status: 200, body: { id, status: "placed", version: 1 } });
    expect(strong.headers.get("consistency")).toBe("strong");

    await app.post(`/orders/${id}/cancel`, { reason: "changed my mind" });
    const { body } = await app.get(`/orders/${id}?consistency=strong`);
    await app.drained();
    expect(body).toEqual((await app.get(`/orders/${id}`)).body);
  });

  it("shows a product with its stock at once", async () => {
    const { id } = await newProduct(app);
    await app.post(`/products/${id}/stock`, { quantity: 3 });
    expect((await app.get(`/products/${id}?consistency=strong`)).body).toMatchObject({ id, available: 3 });
    expectProblem(await app.get(`/products/${id}?consistency=eventual`), 404, "not-found");
  });

  it.each(LISTS)("answers 400 on %s", async (path) => {
    expectProblem(await app.get(`${path}?consistency=strong`), 400, "invalid-input", ["#"]);
  });
});
