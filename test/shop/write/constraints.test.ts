import { describe, expect, it } from "vitest";
import { stock } from "../../../src/features/inventory/stock.ts";
import { receiveStock } from "../../../src/features/inventory/commands/receive-stock.ts";
import { execute } from "../../../src/write/execute.ts";
import { aProduct } from "../support/arrange.ts";
import { anybody } from "../../support/context.ts";
import { useTestDatabase } from "../../support/database.ts";

const test = useTestDatabase();

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
