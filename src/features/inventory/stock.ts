import { sql } from "kysely";
import type { Database } from "../../database/database.ts";
import type { Aggregate, Query } from "../../write/aggregate.ts";
import type { StockEvent } from "./events.ts";

export interface Stock {
  /** Pieces free for new orders. */
  available: number;
  /** Reserved pieces by order; 0 after the release. */
  reserved: Record<string, number>;
}

/** The stock of a product, under the product's id. The stream begins with the first delivery or release. */
export const stock: Aggregate<Stock, StockEvent> = {
  category: "stock",
  initial: { available: 0, reserved: {} },
  constraints: {
    stock_is_not_negative: "insufficient-stock",
    stock_product_id_fkey: "unknown-product",
  },

  evolve({ available, reserved }, { type, data }) {
    switch (type) {
      case "StockReceived":
        return { available: available + data.quantity, reserved };
      case "StockReserved":
        return {
          available: available - data.quantity,
          reserved: { ...reserved, [data.orderId]: data.quantity },
        };
      case "StockReleased":
        return { available: available + data.quantity, reserved: { ...reserved, [data.orderId]: 0 } };
    }
  },

  load: (db, id) => loadStock(db, id),

  save(db, { id, state: { available, reserved }, version, created }) {
    const stock = db.with(
      "stock",
      (qb) =>
        created
          ? qb.insertInto("write.stock").values({ product_id: id, available, version })
          : qb.updateTable("write.stock").set({ available, version }).where("product_id", "=", id),
    );
    const rows = Object.entries(reserved).map(([order_id, quantity]) => ({
      product_id: id,
      order_id,
      quantity,
    }));
    if (rows.length === 0) return stock;
    return stock.with(
      "reservations",
      (qb) =>
        qb.insertInto("write.stock_reservations").values(rows).onConflict((conflict) =>
          conflict.columns(["product_id", "order_id"]).doUpdateSet((eb) => ({
            quantity: eb.ref("excluded.quantity"),
          }))
        ),
    );
  },
};

/** Loads the stock with the reservations of the given orders; without `orderIds`, with all reservations. */
export function loadStock(
  db: Database,
  productId: string,
  orderIds?: string[],
): Query<Stock & { version: number }> {
  const reserved = db.selectFrom("write.stock_reservations")
    .select(sql<Record<string, number>>`coalesce(json_object_agg(order_id, quantity), '{}')`.as("reserved"))
    .where("product_id", "=", productId)
    .$if(orderIds !== undefined, (qb) => qb.where("order_id", "=", sql<string>`any(${orderIds}::uuid[])`));
  return db.selectFrom("write.products as product")
    .leftJoin("write.stock as stock", "stock.product_id", "product.id")
    .select((eb) => [
      eb.fn.coalesce("stock.available", eb.lit(0)).as("available"),
      eb.fn.coalesce("stock.version", eb.lit(0)).as("version"),
      reserved.$asScalar().$notNull().as("reserved"),
    ])
    .where("product.id", "=", productId);
}

declare module "../../database/database.ts" {
  interface Tables {
    "write.stock": { product_id: string; available: number; version: number };
    "write.stock_reservations": { product_id: string; order_id: string; quantity: number };
  }
}
