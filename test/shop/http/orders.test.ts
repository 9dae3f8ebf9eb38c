import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { useShopApp } from "../support/shop.ts";
import { confirm, newCustomer, newOrder, newProduct } from "../support/http-shop.ts";
import { expectProblem } from "../../support/problem.ts";

const ISO_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const app = useShopApp();

describe("POST /orders", () => {
  it("answers 201 with the place, the version and the token", async () => {
    const customerId = await newCustomer(app);
    const { id: productId } = await newProduct(app);
    const { status, headers, body } = await app.post("/orders", {
      customerId,
      lines: [{ productId, quantity: 2 }],
      paymentToken: "visa",
    });
    expect(status).toBe(201);
    expect(body).toEqual({ id: expect.any(String), version: 1, token: headers.get("consistency-token") });
    expect(headers.get("location")).toBe(`/orders/${body.id}`);
    expect(headers.get("etag")).toBe(`"1"`);
  });

  it("is rejected without a customer or a product that is known", async () => {
    const customerId = await newCustomer(app);
    const { id: productId } = await newProduct(app);
    const line = { productId, quantity: 1 };
    expectProblem(
      await app.post("/orders", { customerId: randomUUID(), lines: [line] }),
      422,
      "unknown-customer",
    );
    expectProblem(
      await app.post("/orders", { customerId, lines: [line, { productId: randomUUID(), quantity: 1 }] }),
      422,
      "unknown-product",
    );
  });

  it("refuses a price, no lines and a product twice, and points at them", async () => {
    const customerId = randomUUID();
    const line = { productId: randomUUID(), quantity: 1 };
    const place = (lines: unknown[]) => app.post("/orders", { customerId, lines });
    expectProblem(await place([{ ...line, unitPriceCents: 1 }]), 400, "invalid-input", ["#/lines/0"]);
    expectProblem(await place([]), 400, "invalid-input", ["#/lines"]);
    expectProblem(await place([line, line]), 400, "invalid-input", ["#/lines/1/productId"]);
  });
});

describe("GET /orders/{id}", () => {
  it("shows the order at the prices of the moment it was placed", async () => {
    const customerId = await newCustomer(app);
    const lamp = await newProduct(app, { name: "Lamp", priceCents: 1_050 });
    const gift = await newProduct(app, { name: "Gift", priceCents: 0 });
    const lines = [{ productId: gift.id, quantity: 1 }, { productId: lamp.id, quantity: 3 }];
    const { id } = await newOrder(app, { customerId, lines });
    await app.post(`/products/${lamp.id}/price`, { priceCents: 9_999 });
    await app.drained();

    const { status, body } = await app.get(`/orders/${id}`);
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        id,
        customerId,
        status: "placed",
        reason: null,
        totalCents: 3_150,
        lines: [
          { productId: gift.id, name: "Gift", quantity: 1, unitPriceCents: 0 },
          { productId: lamp.id, name: "Lamp", quantity: 3, unitPriceCents: 1_050 },
        ],
        placedAt: expect.stringMatching(ISO_UTC),
        version: 1,
      },
    });
    expect(Math.abs(Date.parse(body.placedAt) - Date.now())).toBeLessThan(60_000);
  });

  it("holds the largest order exactly", async () => {
    const customerId = await newCustomer(app);
    const products = await Promise.all(
      Array.from({ length: 100 }, () => newProduct(app, { priceCents: 100_000_000 })),
    );
    const lines = products.map(({ id: productId }) => ({ productId, quantity: 100_000 }));
    const { id } = await newOrder(app, { customerId, lines });
    expect((await app.get(`/orders/${id}?consistency=strong`)).body.totalCents).toBe(1e15);
  });

  it("answers 404 when there is no such order", async () => {
    expectProblem(await app.get(`/orders/${randomUUID()}`), 404, "not-found");
  });
});

describe("POST /orders/{id}/cancel", () => {
  it("cancels the order, which then shows the reason", async () => {
    const { id } = await newOrder(app);
    const { status, headers, body } = await app.post(`/orders/${id}/cancel`, { reason: "changed my mind" });
    expect({ status, body }).toEqual({
      status: 200,
      body: { id, version: 2, token: headers.get("consistency-token") },
    });
    await app.drained();
    expect((await app.get(`/orders/${id}`)).body).toMatchObject({
      status: "cancelled",
      reason: "changed my mind",
      version: 2,
    });
  });

  it("is rejected the second time", async () => {
    const { id } = await newOrder(app);
    await app.post(`/orders/${id}/cancel`, { reason: "changed my mind" });
    expectProblem(await app.post(`/orders/${id}/cancel`, { reason: "again" }), 422, "order-not-cancellable");
  });

  it("answers 412 rather than the rejection of a state the caller has not seen", async () => {
    const { id } = await newOrder(app);
    await app.post(`/orders/${id}/cancel`, { reason: "changed my mind" });
    const answer = await app.post(`/orders/${id}/cancel`, { reason: "again" }, { "if-match": `"1"` });
    expectProblem(answer, 412, "version-mismatch");
  });

  it("answers 404 when there is no such order", async () => {
    expectProblem(await app.post(`/orders/${randomUUID()}/cancel`, { reason: "x" }), 404, "not-found");
  });
});

describe("POST /orders/{id}/ship", () => {
  it("ships a confirmed order, with an empty object or no body at all", async () => {
    for (const body of [{}, undefined]) {
      const { id } = await newOrder(app);
      await confirm(app, id);
      expect(await app.post(`/orders/${id}/ship`, body)).toMatchObject({
        status: 200,
        body: { id, version: 3 },
      });
    }
  });

  it("is rejected before the order is confirmed", async () => {
    const { id } = await newOrder(app);
    expectProblem(await app.post(`/orders/${id}/ship`, {}), 422, "order-not-confirmed");
  });

  it("answers 412 when the order has moved on, and ships at the version the caller has seen", async () => {
    const { id } = await newOrder(app);
    await confirm(app, id);
    expectProblem(await app.post(`/orders/${id}/ship`, {}, { "if-match": `"1"` }), 412, "version-mismatch");
    expect((await app.post(`/orders/${id}/ship`, {}, { "if-match": `"2"` })).status).toBe(200);
  });

  it("answers 404 when there is no such order", async () => {
    expectProblem(await app.post(`/orders/${randomUUID()}/ship`, {}), 404, "not-found");
  });
});
