import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { useShopApp } from "../support/shop.ts";
import { expectProblem } from "../../support/problem.ts";
import { newProduct } from "../support/http-shop.ts";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const app = useShopApp();

describe("POST /products", () => {
  it("answers 201 with the place, the version and the token", async () => {
    const { status, headers, body } = await app.post("/products", { name: "Desk lamp", priceCents: 4_900 });
    expect(status).toBe(201);
    expect(body).toEqual({ id: expect.stringMatching(UUID_V7), version: 1, token: expect.any(String) });
    expect(headers.get("location")).toBe(`/products/${body.id}`);
    expect(headers.get("etag")).toBe(`"1"`);
    expect(headers.get("consistency-token")).toBe(body.token);
    expect(headers.get("content-type")).toMatch(/^application\/json/);
  });

  it("takes the id that the client sends, in lower case", async () => {
    const id = randomUUID();
    const { status, headers, body } = await app.post("/products", {
      id: id.toUpperCase(),
      name: "Lamp",
      priceCents: 1,
    });
    expect({ status, id: body.id, place: headers.get("location") }).toEqual({
      status: 201,
      id,
      place: `/products/${id}`,
    });
  });

  it("answers 409 when the id is taken", async () => {
    const { id } = await newProduct(app);
    expectProblem(await app.post("/products", { id, name: "Other", priceCents: 1 }), 409, "version-conflict");
  });

  it("points at every wrong field", async () => {
    const answer = await app.post("/products", { name: " ", priceCents: "4900", color: "red" });
    expectProblem(answer, 400, "invalid-input", ["#/name", "#/priceCents", "#"]);
  });
});

describe("POST /products/{id}/price", () => {
  it("answers 200 with the next version", async () => {
    const { id } = await newProduct(app);
    const { status, headers, body } = await app.post(`/products/${id}/price`, { priceCents: 1 });
    expect(status).toBe(200);
    expect(body).toEqual({ id, version: 2, token: headers.get("consistency-token") });
    expect(headers.get("etag")).toBe(`"2"`);
    expect(headers.get("location")).toBeNull();
  });

  it("answers with the token of the last event when nothing changes", async () => {
    const { id, token } = await newProduct(app, { priceCents: 5 });
    const { status, body } = await app.post(`/products/${id}/price`, { priceCents: 5 });
    expect({ status, body }).toEqual({ status: 200, body: { id, version: 1, token } });
  });

  it("answers 404 when there is no such product", async () => {
    expectProblem(await app.post(`/products/${randomUUID()}/price`, { priceCents: 1 }), 404, "not-found");
  });
});

describe("POST /products/{id}/stock", () => {
  it("answers with the version of the inventory", async () => {
    const { id } = await newProduct(app);
    await app.post(`/products/${id}/price`, { priceCents: 1 });
    for (const version of [1, 2]) {
      const { status, headers, body } = await app.post(`/products/${id}/stock`, { quantity: 5 });
      expect({ status, body }).toEqual({ status: 200, body: { id, version, token: expect.any(String) } });
      expect(headers.get("etag")).toBe(`"${version}"`);
    }
  });

  it("ignores If-Match: the version is the inventory's", async () => {
    const { id } = await newProduct(app);
    const answer = await app.post(`/products/${id}/stock`, { quantity: 1 }, { "if-match": `"7"` });
    expect(answer).toMatchObject({ status: 200, body: { version: 1 } });
  });

  it("answers 404 when there is no such product", async () => {
    expectProblem(await app.post(`/products/${randomUUID()}/stock`, { quantity: 1 }), 404, "not-found");
  });
});

describe("GET /products/{id}", () => {
  it("shows the product and what is available", async () => {
    const { id } = await newProduct(app, { name: "Söderhamn ☂", priceCents: 0 });
    await app.drained();
    const shown = { id, name: "Söderhamn ☂", priceCents: 0, available: 0, version: 1 };
    expect((await app.get(`/products/${id}`)).body).toEqual(shown);

    await app.post(`/products/${id}/stock`, { quantity: 7 });
    await app.post(`/products/${id}/price`, { priceCents: 9 });
    await app.drained();
    const { status, body } = await app.get(`/products/${id.toUpperCase()}`);
    expect({ status, body }).toEqual({
      status: 200,
      body: { ...shown, priceCents: 9, available: 7, version: 2 },
    });
  });

  it("answers 404 when there is no such product", async () => {
    expectProblem(await app.get(`/products/${randomUUID()}`), 404, "not-found");
  });
});
