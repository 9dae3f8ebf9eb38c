import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import type { Database } from "../../src/database/database.ts";
import { CommandRejected, VersionConflict, VersionMismatch } from "../../src/errors.ts";
import { addProduct } from "../../src/features/catalog/commands/add-product.ts";
import { changePrice } from "../../src/features/catalog/commands/change-price.ts";
import { product } from "../../src/features/catalog/product.ts";
import { reserveStock } from "../../src/features/inventory/commands/reserve-stock.ts";
import { cancelOrder } from "../../src/features/ordering/commands/cancel-order.ts";
import { placeOrder } from "../../src/features/ordering/commands/place-order.ts";
import { shipOrder } from "../../src/features/ordering/commands/ship-order.ts";
import { execute } from "../../src/write/execute.ts";
import { anybody } from "../support/context.ts";
import { useTestDatabase } from "../support/database.ts";
import { hold, untilBlocked } from "../support/hold.ts";
import { aCustomer, anOrder, aProduct } from "../support/arrange.ts";

const test = useTestDatabase();

describe("a command whose rival has not committed yet", () => {
  it("waits for the rival, then decides again on what the rival has done", async () => {
    const id = await anOrder(test.command, { confirmed: true });
    const rival = await hold(
      test.command,
      (trx) => execute(trx, cancelOrder, { id, input: { reason: "no longer wanted" } }, anybody),
    );

    const shipping = execute(test.command, shipOrder, { id, input: {} }, anybody);
    shipping.catch(() => {});
    await untilBlocked(test.owner);
    await rival.commit();

    await expect(shipping).rejects.toThrow("Cannot ship order: it is cancelled");
    expect(await typesOf(test.command, `order-${id}`)).toEqual([
      "OrderPlaced",
      "OrderConfirmed",
      "OrderCancelled",
    ]);
  });

  it("goes on as if nothing had been when the rival rolls back", async () => {
    const id = await anOrder(test.command, { confirmed: true });
    const rival = await hold(
      test.command,
      (trx) => execute(trx, cancelOrder, { id, input: { reason: "no longer wanted" } }, anybody),
    );

    const shipping = execute(test.command, shipOrder, { id, input: {} }, anybody);
    await untilBlocked(test.owner);
    await rival.rollback();

    expect(await shipping).toMatchObject({ id, version: 3 });
    expect(await typesOf(test.command, `order-${id}`)).toEqual([
      "OrderPlaced",
      "OrderConfirmed",
      "OrderShipped",
    ]);
  });

  it("does not sell the last piece twice", async () => {
    const id = await aProduct(test.command, { pieces: 1 });
    const reserve = () => ({ id, input: { orderId: crypto.randomUUID(), quantity: 1 } });
    const rival = await hold(test.command, (trx) => execute(trx, reserveStock, reserve(), anybody));

    const reserving = execute(test.command, reserveStock, reserve(), anybody);
    reserving.catch(() => {});
    await untilBlocked(test.owner);
    await rival.commit();

    await expect(reserving).rejects.toMatchObject({ code: "insufficient-stock" });
  });

  it("does not create what the rival has created", async () => {
    const id = crypto.randomUUID();
    const input = { name: "Desk lamp", priceCents: 1 };
    const rival = await hold(test.command, (trx) => execute(trx, addProduct, { id, input }, anybody));

    const adding = execute(test.command, addProduct, { id, input }, anybody);
    adding.catch(() => {});
    await untilBlocked(test.owner);
    await rival.commit();

    await expect(adding).rejects.toThrow(VersionConflict);
  });
});

describe("a command whose rival commits between its load and its save", () => {
  it("decides again on what the rival has done", async () => {
    const id = await aProduct(test.command, { priceCents: 100 });
    // Loading reads keys, saving writes a key: the command stops between load and save.
    const gate = await hold(
      test.owner,
      (trx) => sql`lock table write.idempotency_keys in exclusive mode`.execute(trx),
    );

    const changing = changeTo(300, id, { idempotencyKey: "outrun" });
    await untilBlocked(test.owner);
    await changeTo(200, id);
    await gate.commit();

    expect(await changing).toMatchObject({ version: 3 });
    expect(await pricesOf(id)).toEqual([100, 200, 300]);
  });

  it("is told so when it insists on a version", async () => {
    const id = await aProduct(test.command, { priceCents: 100 });
    const gate = await hold(
      test.owner,
      (trx) => sql`lock table write.idempotency_keys in exclusive mode`.execute(trx),
    );

    const changing = changeTo(300, id, { idempotencyKey: "insists", ifMatch: 1 });
    changing.catch(() => {});
    await untilBlocked(test.owner);
    await changeTo(200, id);
    await gate.commit();

    await expect(changing).rejects.toThrow(VersionMismatch);
    expect(await pricesOf(id)).toEqual([100, 200]);
  });

  it("gives up after three attempts, and leaves no trace", async () => {
    const id = await aProduct(test.command, { priceCents: 100 });
    let loads = 0;
    const late: typeof changePrice = {
      ...changePrice,
      load(db) {
        loads++;
        const version = sql<number>`version - 1`.as("version");
        return db.selectFrom("write.products").select(["name", "price_cents as priceCents", version]).where(
          "id",
          "=",
          id,
        );
      },
    };

    const changing = execute(test.command, late, { id, input: { priceCents: 300 } }, {
      ...anybody,
      idempotencyKey: "late",
    });

    await expect(changing).rejects.toThrow(VersionConflict);
    await expect(changing).rejects.toThrow(`Wrong expected version: 0 (stream: product-${id}, version: 1)`);
    expect(loads).toBe(3);
    expect(await pricesOf(id)).toEqual([100]);
    expect(await product.load(test.command, id).executeTakeFirst()).toMatchObject({
      priceCents: 100,
      version: 1,
    });
    const kept = await test.command.selectFrom("write.idempotency_keys").select("key").where(
      "key",
      "=",
      "late",
    ).execute();
    expect(kept).toEqual([]);
  });

  function changeTo(priceCents: number, id: string, context = {}) {
    return execute(test.command, changePrice, { id, input: { priceCents } }, { ...anybody, ...context });
  }

  async function pricesOf(id: string): Promise<number[]> {
    const events = await test.command.selectFrom("write.events").select("data")
      .where("stream", "=", `product-${id}`).orderBy("version").execute();
    return events.map(({ data }) => (data as { priceCents: number }).priceCents);
  }
});

describe("a command whose reference disappears between its load and its save", () => {
  it("is rejected", async () => {
    const [customerId, productId] = [await aCustomer(test.command), await aProduct(test.command)];
    const rival = await hold(
      test.command,
      (trx) => trx.deleteFrom("write.customers").where("id", "=", customerId).execute(),
    );

    const placing = execute(test.command, placeOrder, {
      input: { customerId, lines: [{ productId, quantity: 1 }] },
    }, anybody);
    placing.catch(() => {});
    await untilBlocked(test.owner);
    await rival.commit();

    await expect(placing).rejects.toThrow(CommandRejected);
    await expect(placing).rejects.toMatchObject({ code: "unknown-customer" });
  });
});

async function typesOf(db: Database, stream: string): Promise<string[]> {
  const events = await db.selectFrom("write.events").select("type").where("stream", "=", stream).orderBy(
    "version",
  ).execute();
  return events.map(({ type }) => type);
}
