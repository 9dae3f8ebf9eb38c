import { sql } from "kysely";
import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { reserveStock } from "../../../src/features/inventory/commands/reserve-stock.ts";
import { execute } from "../../../src/write/execute.ts";
import { anybody } from "../../support/context.ts";
import { expectProblem } from "../../support/problem.ts";
import { confirm, newCustomer, newOrder, newProduct } from "../support/http-shop.ts";
import { useShopApp } from "../support/shop.ts";

const app = useShopApp();

const LARGEST_NUMBER = 9_007_199_254_740_991;
const LARGEST_BIGINT = "9223372036854775807";

/** Confirms an order of the given pieces at a price that no input allows, on a day of its own. */
async function soldAt(unitPriceCents: number | string, quantity = 1): Promise<string> {
  const productId = (await newProduct(app)).id;
  const { id } = await newOrder(app, { lines: [{ productId, quantity }] });
  await sql`update write.order_lines set unit_price_cents = ${unitPriceCents}::bigint where order_id = ${id}`
    .execute(app.database.owner);
  await sql`update write.orders set placed_at = '2026-03-01T12:00Z' where id = ${id}`
    .execute(app.database.owner);
  await confirm(app, id);
  return id;
}

async function shown(path: string) {
  await sql`update relay.checkpoints set rests_until = '-infinity'`.execute(app.database.owner);
  await app.drained();
  const { status, body } = await app.get(path);
  expect(status).toBe(200);
  return body;
}

beforeEach(async () => {
  await sql`delete from write.order_lines`.execute(app.database.owner);
});

describe("a sum of money", () => {
  it("is a number up to the largest that JavaScript can hold", async () => {
    const id = await soldAt(LARGEST_NUMBER);
    expect((await shown("/sales/daily")).items).toMatchObject([{ revenueCents: LARGEST_NUMBER }]);
    expect(await shown(`/orders/${id}`)).toMatchObject({
      totalCents: LARGEST_NUMBER,
      lines: [{ unitPriceCents: LARGEST_NUMBER }],
    });
  });

  it("is decimal text beyond: each cent of a day's sales counts", async () => {
    const id = await soldAt(LARGEST_NUMBER);
    await soldAt(2);
    expect((await shown("/sales/daily")).items).toMatchObject([{ revenueCents: "9007199254740993" }]);
    expect(await shown(`/orders/${id}`)).toMatchObject({ totalCents: LARGEST_NUMBER });
  });

  it("is decimal text beyond the largest bigint, for an order and a day", async () => {
    const id = await soldAt(LARGEST_BIGINT, 3);
    await soldAt(LARGEST_BIGINT);
    const order = {
      id,
      totalCents: "27670116110564327421",
      lines: [{ quantity: 3, unitPriceCents: LARGEST_BIGINT }],
    };
    expect(await shown(`/orders/${id}`)).toMatchObject(order);
    expect(await shown(`/orders/${id}?consistency=strong`)).toMatchObject(order);
    expect((await shown("/fulfilment")).items).toContainEqual(expect.objectContaining({
      id,
      totalCents: "27670116110564327421",
    }));
    expect((await shown("/sales/daily")).items).toMatchObject([{ revenueCents: "36893488147419103228" }]);
  });
});

describe("other whole numbers", () => {
  it("are exact in the catalogue: the price and the available pieces", async () => {
    const { id } = await newProduct(app);
    await app.post(`/products/${id}/stock`, { quantity: 1 });
    await sql`update write.products set price_cents = ${LARGEST_BIGINT}::bigint where id = ${id}`
      .execute(app.database.owner);
    await sql`update write.stock set available = 9007199254740993 where product_id = ${id}`
      .execute(app.database.owner);
    expect(await shown(`/products/${id}`)).toMatchObject({
      priceCents: LARGEST_BIGINT,
      available: "9007199254740993",
    });
  });

  it("are exact in the progress of an order: pieces and payments", async () => {
    const { id } = await newOrder(app);
    for (const product of [await newProduct(app), await newProduct(app)]) {
      await app.post(`/products/${product.id}/stock`, { quantity: 1 });
    }
    await sql`
      insert into write.payments (order_id, amount_cents, refunded_cents, status, version)
      values (${id}, ${LARGEST_BIGINT}::bigint, 9007199254740993, 'refunded', 1)`.execute(app.database.owner);
    await sql`
      insert into write.stock_reservations
      select product_id, ${id}, ${LARGEST_BIGINT}::bigint from write.stock limit 2`.execute(
      app.database.owner,
    );
    expect(await shown(`/orders/${id}/progress?consistency=strong`)).toMatchObject({
      reservedPieces: "18446744073709551614",
      amountCents: LARGEST_BIGINT,
      refundedCents: "9007199254740993",
    });
  });

  it("are described as a number or decimal text", async () => {
    const { body } = await app.get("/openapi.json");
    const schema = body.paths["/orders/{id}"].get.responses[200].content["application/json"].schema;
    expect(schema.properties.totalCents).toEqual({
      anyOf: [expect.objectContaining({ type: "integer", maximum: LARGEST_NUMBER }), {
        type: "string",
        pattern: "^-?\\d{16,}$",
      }],
      description: expect.stringContaining("decimal text"),
    });
  });
});

describe("a command", () => {
  const order = async (priceCents: number | string, quantity: number) => {
    const [customerId, { id: productId }] = [await newCustomer(app), await newProduct(app)];
    await sql`update write.products set price_cents = ${priceCents}::bigint where id = ${productId}`
      .execute(app.database.owner);
    return await app.post("/orders", { customerId, lines: [{ productId, quantity }] });
  };

  it("is rejected when the total of an order would be rounded", async () => {
    expect((await order(LARGEST_NUMBER, 1)).status).toBe(201);
    expectProblem(await order(LARGEST_NUMBER, 2), 422, "total-too-large");
  });

  it("is rejected when the price in the tables is rounded already", async () => {
    expectProblem(await order("9007199254740993", 1), 422, "total-too-large");
  });

  it("is rejected when the number to change is rounded already", async () => {
    const { id } = await newProduct(app);
    await app.post(`/products/${id}/stock`, { quantity: 1 });
    await sql`update write.stock set available = 9007199254740993 where product_id = ${id}`
      .execute(app.database.owner);
    const input = { orderId: randomUUID(), quantity: 5 };
    await expect(execute(app.database.command, reserveStock, { id, input }, anybody)).rejects.toMatchObject({
      code: "number-too-large",
      message: "Cannot carry out ReserveStock: available is beyond 9007199254740991",
    });
    expect(await shown(`/products/${id}`)).toMatchObject({ available: "9007199254740993" });
  });

  it("is rejected when an event would record a rounded number", async () => {
    const id = await soldAt(LARGEST_BIGINT);
    const answer = await app.post(`/orders/${id}/cancel`, { reason: "changed my mind" });
    expectProblem(answer, 422, "number-too-large");
    expect(answer.body.detail).toContain("0/lines/0/unitPriceCents");
    expect(await shown(`/orders/${id}`)).toMatchObject({ status: "confirmed", totalCents: LARGEST_BIGINT });
  });

  it("is rejected when a sum would be rounded, and changes nothing", async () => {
    const { id } = await newProduct(app);
    await app.post(`/products/${id}/stock`, { quantity: 1 });
    await sql`update write.stock set available = ${LARGEST_NUMBER}::bigint - 1 where product_id = ${id}`
      .execute(app.database.owner);
    expect((await app.post(`/products/${id}/stock`, { quantity: 1 })).status).toBe(200);
    expectProblem(await app.post(`/products/${id}/stock`, { quantity: 1 }), 422, "number-too-large");
    expect(await shown(`/products/${id}`)).toMatchObject({ available: LARGEST_NUMBER });
  });
});
