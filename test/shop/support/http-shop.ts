import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import { confirmOrder } from "../../../src/features/ordering/commands/confirm-order.ts";
import { execute } from "../../../src/write/execute.ts";
import type { Answer, TestApp } from "../../support/app.ts";
import { anybody } from "../../support/context.ts";

/** The answer to a command: the id, version and token. */
export interface Receipt {
  id: string;
  version: number;
  token: string;
}

/** Adds a customer, ready for use at once, and returns the id. */
export async function newCustomer(app: TestApp): Promise<string> {
  const id = randomUUID();
  expectDone(await app.put(`/customers/${id}`, { name: "Ada Lovelace", email: "ada@example.com" }));
  return id;
}

/** Adds a product to the catalogue and returns the receipt. */
export async function newProduct(app: TestApp, input: { name?: string; priceCents?: number } = {}) {
  return expectDone(await app.post("/products", { name: "Desk lamp", priceCents: 4_900, ...input }));
}

/** Places an order and returns the receipt. Default lines: a single piece of a new product. */
export async function newOrder(
  app: TestApp,
  given: { customerId?: string; lines?: { productId: string; quantity: number }[] } = {},
): Promise<Receipt> {
  const customerId = given.customerId ?? await newCustomer(app);
  const lines = given.lines ?? [{ productId: (await newProduct(app)).id, quantity: 1 }];
  return expectDone(await app.post("/orders", { customerId, lines }));
}

/** Confirms an order without HTTP: the command has no route. */
export async function confirm(app: TestApp, id: string): Promise<void> {
  await execute(app.database.command, confirmOrder, { id, input: {} }, anybody);
}

function expectDone({ status, body }: Answer): Receipt {
  expect([200, 201], JSON.stringify(body)).toContain(status);
  return body;
}
