import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { useTestApp } from "../support/app.ts";
import { confirm, newOrder, newProduct } from "../support/http-shop.ts";
import { runtime } from "../support/runtime.ts";
import { expectProblem } from "../support/problem.ts";

const app = useTestApp();

const changePrice = (id: string, priceCents: number, ifMatch: string) =>
  app.post(`/products/${id}/price`, { priceCents }, { "if-match": ifMatch });

describe("If-Match", () => {
  it("lets a command through at the version the caller has seen", async () => {
    const { id } = await newProduct(app);
    const first = await changePrice(id, 1, `"1"`);
    expect(first).toMatchObject({ status: 200, body: { version: 2 } });
    expect((await changePrice(id, 2, first.headers.get("etag")!)).body.version).toBe(3);
  });

  it("answers 412 when the aggregate has moved on, and changes nothing", async () => {
    const { id } = await newProduct(app);
    await changePrice(id, 1, `"1"`);
    for (const version of [0, 1, 3, 999_999_999]) {
      expectProblem(await changePrice(id, 2, `"${version}"`), 412, "version-mismatch");
    }
    expect((await app.get(`/products/${id}?consistency=strong`)).body).toMatchObject({
      priceCents: 1,
      version: 2,
    });
  });

  it("answers 412 even to a command that would change nothing", async () => {
    const { id } = await newProduct(app, { priceCents: 5 });
    expectProblem(await changePrice(id, 5, `"2"`), 412, "version-mismatch");
  });

  it("answers 412 rather than the rejection of a state the caller has not seen", async () => {
    const { id } = await newOrder(app);
    await app.post(`/orders/${id}/cancel`, { reason: "changed my mind" });
    const answer = await app.post(`/orders/${id}/cancel`, { reason: "again" }, { "if-match": `"1"` });
    expectProblem(answer, 412, "version-mismatch");
  });

  it("holds for cancelling and shipping too", async () => {
    const { id } = await newOrder(app);
    await confirm(app, id);
    expectProblem(await app.post(`/orders/${id}/ship`, {}, { "if-match": `"1"` }), 412, "version-mismatch");
    expect((await app.post(`/orders/${id}/ship`, {}, { "if-match": `"2"` })).status).toBe(200);
  });

  it("lets any version through with *", async () => {
    const { id } = await newProduct(app);
    expect((await changePrice(id, 1, "*")).body.version).toBe(2);
    expect((await changePrice(id, 2, "*")).body.version).toBe(3);
  });

  it("answers 404 when there is nothing to be at a version", async () => {
    expectProblem(await changePrice(randomUUID(), 1, `"1"`), 404, "not-found");
  });

  it.each(["1", `""`, `"one"`, `"-1"`, `W/"1"`, `"1", "2"`, `"1.0"`, `"99999999999"`, `'1'`])(
    "answers 400 to %s",
    async (ifMatch) => {
      const { id } = await newProduct(app);
      expectProblem(await changePrice(id, 1, ifMatch), 400, "invalid-input");
    },
  );

  // On workerd, a header without a value does not arrive.
  it.skipIf(runtime === "workerd")("answers 400 to nothing", async () => {
    const { id } = await newProduct(app);
    expectProblem(await changePrice(id, 1, ""), 400, "invalid-input");
  });

  it("is ignored by a delivery, whose version is the inventory's", async () => {
    const { id } = await newProduct(app);
    const answer = await app.post(`/products/${id}/stock`, { quantity: 1 }, { "if-match": `"7"` });
    expect(answer).toMatchObject({ status: 200, body: { version: 1 } });
  });
});
