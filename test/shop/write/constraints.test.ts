import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { loadStock, stock } from "../../../src/features/inventory/stock.ts";
import { receiveStock } from "../../../src/features/inventory/commands/receive-stock.ts";
import { placeOrder } from "../../../src/features/ordering/commands/place-order.ts";
import { execute } from "../../../src/write/execute.ts";
import { aCustomer, aProduct } from "../support/arrange.ts";
import { anybody } from "../../support/context.ts";
import { listUnexplained } from "../../support/constraints.ts";
import { useTestDatabase } from "../../support/database.ts";

const test = useTestDatabase();

describe("a reference to customers, who may be deleted", () => {
  it("is found out when neither side has an answer", async () => {
    await sql`
      create table write.gifts (
        id uuid primary key, customer_id uuid constraint gifts_customer_id_fkey references write.customers
      )`.execute(test.owner);
    expect(await listUnexplained(test.owner, [], (table) => table === "write.gifts")).toEqual([
      "gifts_customer_id_fkey: unknown to the code that writes to write.gifts",
      "gifts_customer_id_fkey: unknown to the code that deletes from write.customers",
      "gifts_pkey: unknown to the code that writes to write.gifts",
    ]);
    await sql`drop table write.gifts`.execute(test.owner);
  });
});

describe("a row that the database refuses", () => {
  it("is a rejection: an order of the same product twice", async () => {
    const [customerId, productId] = [await aCustomer(test.command), await aProduct(test.command)];
    const lines = [{ productId, quantity: 1 }, { productId, quantity: 2 }];
    await expect(execute(test.command, placeOrder, { input: { customerId, lines } }, anybody))
      .rejects.toMatchObject({ code: "product-listed-twice" });
  });

  it("is a rejection: stock of a product that is gone", async () => {
    const productId = await aProduct(test.command);
    const careless: typeof receiveStock = { ...receiveStock, load: (db) => loadStock(db, productId, []) };
    const unknown = { id: crypto.randomUUID(), input: { quantity: 1 } };
    await expect(execute(test.command, careless, unknown, anybody))
      .rejects.toMatchObject({ code: "unknown-product" });
  });
});

describe("stock", () => {
  it("cannot be made negative, not even past the commands", async () => {
    const id = await aProduct(test.command, { pieces: 5 });
    const update = test.command.updateTable("write.stock").set({ available: -1 }).where(
      "product_id",
      "=",
      id,
    );
    await expect(update.execute()).rejects.toMatchObject({ constraint_name: "stock_is_not_negative" });
  });

  it("that the database refuses is a rejection, and nothing of the command stays", async () => {
    const id = await aProduct(test.command, { pieces: 5 });
    // A decision without a look at the stock.
    const careless: typeof receiveStock = {
      ...receiveStock,
      decide: () => [{ type: "StockReserved", data: { orderId: crypto.randomUUID(), quantity: 6 } }],
    };

    const reserving = execute(test.command, careless, { id, input: { quantity: 6 } }, {
      ...anybody,
      idempotencyKey: "k",
    });

    await expect(reserving).rejects.toMatchObject({ name: "Error", code: "insufficient-stock" });
    expect(await stock.load(test.command, id).executeTakeFirst()).toEqual({
      available: 5,
      version: 1,
      reserved: {},
    });
    const events = await test.command.selectFrom("write.events").select("version").where(
      "stream",
      "=",
      `stock-${id}`,
    ).execute();
    expect(events).toEqual([{ version: 1 }]);
    expect(await test.command.selectFrom("write.idempotency_keys").select("key").execute()).toEqual([]);
  });
});
