import type { Database } from "./database/database.ts";
import { addProduct } from "./features/catalog/commands/add-product.ts";
import { putCustomer } from "./features/customers/customer.ts";
import { receiveStock } from "./features/inventory/commands/receive-stock.ts";
import { confirmOrder } from "./features/ordering/commands/confirm-order.ts";
import { placeOrder } from "./features/ordering/commands/place-order.ts";
import { execute } from "./write/execute.ts";

const ADA = "01990000-0000-7000-8000-000000000001";
const PRODUCTS = [
  { id: "01990000-0000-7000-8000-00000000000a", name: "Desk lamp", priceCents: 4_900 },
  { id: "01990000-0000-7000-8000-00000000000b", name: "Office chair", priceCents: 18_900 },
  { id: "01990000-0000-7000-8000-00000000000c", name: "Standing desk", priceCents: 54_900 },
];
const ORDER = "01990000-0000-7000-8000-0000000000f1";

/**
 * Fills the shop: a customer, three products in stock, a confirmed order. Every command has an idempotency
 * key of its own: the next run completes a run that was cut short.
 */
export async function openSampleShop(db: Database): Promise<void> {
  const opened = await db.selectFrom("write.orders").select("id").where("id", "=", ORDER)
    .where("status", "!=", "placed").executeTakeFirst();
  if (opened) return;

  const as = (idempotencyKey: string) => ({
    caller: "sample-shop",
    correlationId: "sample-shop",
    idempotencyKey,
  });
  await putCustomer(db, ADA, { name: "Ada Lovelace", email: "ada@example.com" });
  for (const { id, ...product } of PRODUCTS) {
    await execute(db, addProduct, { id, input: product }, as(`add ${id}`));
    await execute(db, receiveStock, { id, input: { quantity: 100 } }, as(`receive ${id}`));
  }
  const lines = [{ productId: PRODUCTS[0]!.id, quantity: 2 }, { productId: PRODUCTS[1]!.id, quantity: 1 }];
  await execute(db, placeOrder, { id: ORDER, input: { customerId: ADA, lines } }, as("place"));
  await execute(db, confirmOrder, { id: ORDER, input: {} }, as("confirm"));
}
