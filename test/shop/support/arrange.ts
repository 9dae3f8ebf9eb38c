import type { Database } from "../../../src/database/database.ts";
import { addProduct } from "../../../src/features/catalog/commands/add-product.ts";
import { putCustomer } from "../../../src/features/customers/customer.ts";
import { receiveStock } from "../../../src/features/inventory/commands/receive-stock.ts";
import { confirmOrder } from "../../../src/features/ordering/commands/confirm-order.ts";
import { placeOrder } from "../../../src/features/ordering/commands/place-order.ts";
import { execute } from "../../../src/write/execute.ts";
import { anybody } from "../../support/context.ts";

/** Adds a customer and returns the id. */
export async function aCustomer(db: Database): Promise<string> {
  const id = crypto.randomUUID();
  await putCustomer(db, id, { name: "Ada Lovelace", email: "ada@example.com" });
  return id;
}

/** Adds a product, with stock if there are `pieces`, and returns the id. */
export async function aProduct(
  db: Database,
  { name = "Desk lamp", priceCents = 4_900, pieces = 0 } = {},
): Promise<string> {
  const { id } = await execute(db, addProduct, { input: { name, priceCents } }, anybody);
  if (pieces > 0) await execute(db, receiveStock, { id, input: { quantity: pieces } }, anybody);
  return id;
}

/** Places an order of a new product for a new customer, and returns the id. */
export async function anOrder(db: Database, { confirmed = false } = {}): Promise<string> {
  const [customerId, productId] = await Promise.all([aCustomer(db), aProduct(db)]);
  const { id } = await execute(
    db,
    placeOrder,
    { input: { customerId, lines: [{ productId, quantity: 2 }] } },
    anybody,
  );
  if (confirmed) await execute(db, confirmOrder, { id, input: {} }, anybody);
  return id;
}
