import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { addProduct } from "../../src/features/catalog/commands/add-product.ts";
import { execute } from "../../src/write/execute.ts";
import { useTestApp } from "../support/app.ts";
import { hold } from "../support/hold.ts";
import { confirm, newOrder, newProduct } from "../support/http-shop.ts";
import { expectProblem } from "../support/problem.ts";

const app = useTestApp();
const lamp = { name: "Desk lamp", priceCents: 4_900 };

const keyed = (key: string) => ({ "idempotency-key": key });
const eventsOf = async (stream: string) =>
  (await app.database.owner.selectFrom("write.events").select("type").where("stream", "=", stream).execute())
    .map(({ type }) => type);

describe("Idempotency-Key", () => {
  it("gives a creating command the same status, body and headers again, and carries it out once", async () => {
    const key = randomUUID();
    const [first, second] = [
      await app.post("/products", lamp, keyed(key)),
      await app.post("/products", lamp, keyed(key)),
    ];
    expect({ status: second.status, body: second.body }).toEqual({ status: 201, body: first.body });
    for (const header of ["location", "etag", "consistency-token"]) {
      expect(second.headers.get(header)).toBe(first.headers.get(header));
    }
    expect(await eventsOf(`product-${first.body.id}`)).toEqual(["ProductAdded"]);
  });

  it("gives the first answer again though the order of the fields differs", async () => {
    const key = randomUUID();
    const first = await app.post("/products", `{"name":"Lamp","priceCents":1}`, keyed(key));
    const second = await app.post("/products", ` {"priceCents": 1.0, "name": "Lamp"}`, keyed(key));
    expect(second.body).toEqual(first.body);
  });

  it("gives the first answer to a command that would now be rejected", async () => {
    const { id } = await newOrder(app);
    const cancel = (key: string) =>
      app.post(`/orders/${id}/cancel`, { reason: "changed my mind" }, keyed(key));
    const first = await cancel("twice");
    expect(await cancel("twice")).toMatchObject({ status: 200, body: first.body });
    expectProblem(await cancel("another"), 422, "order-not-cancellable");
  });

  it("gives the first answer before it looks at If-Match", async () => {
    const { id } = await newProduct(app);
    const change = () =>
      app.post(`/products/${id}/price`, { priceCents: 1 }, { ...keyed("insist"), "if-match": `"1"` });
    const first = await change();
    expect(await change()).toMatchObject({ status: 200, body: first.body });
  });

  it("keeps the answer of a command that changed nothing", async () => {
    const { id, token } = await newProduct(app, { priceCents: 5 });
    const change = () => app.post(`/products/${id}/price`, { priceCents: 5 }, keyed("no change"));
    expect(await change()).toMatchObject({ status: 200, body: { id, version: 1, token } });
    await app.post(`/products/${id}/price`, { priceCents: 6 });
    expect(await change()).toMatchObject({ status: 200, body: { id, version: 1, token } });
  });

  it("is refused with another body, or for another aggregate", async () => {
    const [one, other] = [await newProduct(app), await newProduct(app)];
    const price = (id: string, priceCents: number) =>
      app.post(`/products/${id}/price`, { priceCents }, keyed("reused"));
    await price(one.id, 1);
    expectProblem(await price(one.id, 2), 422, "idempotency-key-reused");
    expectProblem(await price(other.id, 1), 422, "idempotency-key-reused");
    expect(await eventsOf(`product-${other.id}`)).toEqual(["ProductAdded"]);
  });

  it("belongs to one command", async () => {
    const added = await app.post("/products", lamp, keyed("shared"));
    const received = await app.post(`/products/${added.body.id}/stock`, { quantity: 1 }, keyed("shared"));
    expect(received).toMatchObject({ status: 200, body: { version: 1 } });
  });

  it("is free again after a rejection", async () => {
    const { id } = await newOrder(app);
    const ship = () => app.post(`/orders/${id}/ship`, {}, keyed("too early"));
    expectProblem(await ship(), 422, "order-not-confirmed");
    const malformed = await app.post(`/orders/${id}/ship`, { now: true }, keyed("too early"));
    expectProblem(malformed, 400, "invalid-input", ["#"]);
    await confirm(app, id);
    expect((await ship()).status).toBe(200);
  });

  it("answers 409 while the first request is running", async () => {
    const context = { caller: "anonymous", correlationId: "test", idempotencyKey: "running" };
    const running = await hold(
      app.database.command,
      (trx) => execute(trx, addProduct, { input: lamp }, context),
    );
    expectProblem(await app.post("/products", lamp, keyed("running")), 409, "command-in-progress");
    await running.commit();
    expect((await app.post("/products", lamp, keyed("running"))).status).toBe(201);
  });

  it("takes 1 to 255 printable ASCII characters", async () => {
    for (const key of ["k", "~ !", "x".repeat(255)]) {
      expect((await app.post("/products", lamp, keyed(key))).status).toBe(201);
    }
    for (const key of ["", "x".repeat(256), "clé", "a\tb"]) {
      expectProblem(await app.post("/products", lamp, keyed(key)), 400, "invalid-input");
    }
  });
});
