import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { useShopApp } from "../support/shop.ts";
import { newCustomer, newOrder } from "../support/http-shop.ts";
import { expectProblem } from "../../support/problem.ts";

const ada = { name: "Ada Lovelace", email: "ada@example.com" };

const app = useShopApp();

describe("PUT /customers/{id}", () => {
  it("answers 201 with the place when it creates, 200 when it replaces", async () => {
    const id = randomUUID();
    const created = await app.put(`/customers/${id}`, ada);
    expect({ status: created.status, body: created.body }).toEqual({
      status: 201,
      body: { id, version: 1, token: null },
    });
    expect(created.headers.get("location")).toBe(`/customers/${id}`);
    expect(created.headers.get("etag")).toBe(`"1"`);
    expect(created.headers.get("consistency-token")).toBeNull();

    const replaced = await app.put(`/customers/${id}`, { ...ada, name: "Ada" });
    expect({ status: replaced.status, body: replaced.body }).toEqual({
      status: 200,
      body: { id, version: 2, token: null },
    });
    expect(replaced.headers.get("etag")).toBe(`"2"`);
    expect(replaced.headers.get("location")).toBeNull();
  });

  it("answers 412 to If-Match when somebody else was faster", async () => {
    const id = await newCustomer(app);
    expect((await app.put(`/customers/${id}`, ada, { "if-match": `"1"` })).body.version).toBe(2);
    expectProblem(await app.put(`/customers/${id}`, ada, { "if-match": `"1"` }), 412, "version-mismatch");
    expect((await app.put(`/customers/${id}`, ada, { "if-match": "*" })).body.version).toBe(3);
  });

  it.each([`"1"`, "*"])("does not create with If-Match: %s", async (ifMatch) => {
    const id = randomUUID();
    expectProblem(await app.put(`/customers/${id}`, ada, { "if-match": ifMatch }), 412, "version-mismatch");
    expectProblem(await app.get(`/customers/${id}`), 404, "not-found");
  });

  it("creates with If-None-Match: *, and does not replace", async () => {
    const id = randomUUID();
    const onlyNew = { "if-none-match": "*" };
    expect((await app.put(`/customers/${id}`, ada, onlyNew)).status).toBe(201);
    const other = { ...ada, name: "Grace Hopper" };
    expectProblem(await app.put(`/customers/${id}`, other, onlyNew), 412, "version-mismatch");
    expect((await app.get(`/customers/${id}`)).body).toMatchObject({ name: ada.name, version: 1 });
  });

  it("creates once, however many want to at the same time", async () => {
    const id = randomUUID();
    const puts = await Promise.all(
      Array.from({ length: 10 }, () => app.put(`/customers/${id}`, ada, { "if-none-match": "*" })),
    );
    expect(puts.map(({ status }) => status).toSorted()).toEqual([
      201,
      ...Array.from({ length: 9 }, () => 412),
    ]);
  });

  it.each<Record<string, string>>([
    { "if-none-match": `"1"` },
    { "if-none-match": "*", "if-match": "*" },
    { "if-match": `W/"1"` },
  ])("answers 400 to conditions that it does not understand: %j", async (headers) => {
    const id = await newCustomer(app);
    expectProblem(await app.put(`/customers/${id}`, ada, headers), 400, "invalid-input");
    expect((await app.get(`/customers/${id}`)).body.version).toBe(1);
  });

  it("points at every wrong field", async () => {
    const answer = await app.put(`/customers/${randomUUID()}`, { name: "", email: "ada", age: 36 });
    expectProblem(answer, 400, "invalid-input", ["#/name", "#/email", "#"]);
    expectProblem(await app.put("/customers/ada", ada), 400, "invalid-input", ["#/id"]);
  });
});

describe("GET /customers/{id}", () => {
  it("shows the customer at once", async () => {
    const id = await newCustomer(app);
    const { status, headers, body } = await app.get(`/customers/${id}`);
    expect({ status, body }).toEqual({ status: 200, body: { id, ...ada, version: 1 } });
    expect(headers.get("etag")).toBe(`"1"`);
  });

  it("answers 304 to a client that has the version", async () => {
    const id = await newCustomer(app);
    for (const known of [`"1"`, `W/"1"`, `"7", "1"`, "*"]) {
      const { status, headers, body } = await app.get(`/customers/${id}`, { "if-none-match": known });
      expect({ status, body, etag: headers.get("etag") }).toEqual({ status: 304, body: "", etag: `"1"` });
    }
    await app.put(`/customers/${id}`, ada);
    expect((await app.get(`/customers/${id}`, { "if-none-match": `"1"` })).status).toBe(200);
  });

  it("answers 404 when there is no such customer", async () => {
    expectProblem(await app.get(`/customers/${randomUUID()}`), 404, "not-found");
  });
});

describe("DELETE /customers/{id}", () => {
  it("answers 204, and the customer is gone", async () => {
    const id = await newCustomer(app);
    const { status, body } = await app.delete(`/customers/${id}`);
    expect({ status, body }).toEqual({ status: 204, body: "" });
    expectProblem(await app.get(`/customers/${id}`), 404, "not-found");
    expectProblem(await app.delete(`/customers/${id}`), 404, "not-found");
  });

  it("answers 412 to If-Match when somebody else was faster", async () => {
    const id = await newCustomer(app);
    await app.put(`/customers/${id}`, ada);
    expectProblem(await app.delete(`/customers/${id}`, { "if-match": `"1"` }), 412, "version-mismatch");
    expect((await app.delete(`/customers/${id}`, { "if-match": `"2"` })).status).toBe(204);
  });

  it("is only with the conditions of RFC 9110", async () => {
    const [id, nobody] = [await newCustomer(app), randomUUID()];
    expectProblem(await app.delete(`/customers/${id}`, { "if-none-match": "*" }), 412, "version-mismatch");
    expectProblem(await app.delete(`/customers/${nobody}`, { "if-match": "*" }), 404, "not-found");
    expect((await app.delete(`/customers/${id}`, { "if-match": "*" })).status).toBe(204);
  });

  it("is refused while there are orders of the customer", async () => {
    const customerId = await newCustomer(app);
    await newOrder(app, { customerId });
    expectProblem(await app.delete(`/customers/${customerId}`), 409, "customer-has-orders");
    expect((await app.get(`/customers/${customerId}`)).status).toBe(200);
  });
});
