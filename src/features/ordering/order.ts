import { type Generated, sql } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/postgres";
import type { Aggregate } from "../../write/aggregate.ts";
import type { OrderEvent, OrderLine } from "./events.ts";

export type OrderStatus = "placed" | "confirmed" | "shipped" | "cancelled";

export interface Order {
  customerId: string;
  status: OrderStatus;
  /** The reason of the cancellation; null if not cancelled. */
  reason: string | null;
  paymentToken: string | null;
  lines: OrderLine[];
}

/** An order: first `placed`, next `confirmed`, last `shipped`; or `cancelled` before shipping. */
export const order: Aggregate<Order, OrderEvent> = {
  category: "order",
  initial: { customerId: "", status: "placed", reason: null, paymentToken: null, lines: [] },
  constraints: {
    orders_customer_id_fkey: "unknown-customer",
    order_lines_product_id_fkey: "unknown-product",
    order_lines_product_id_key: "product-listed-twice",
  },

  evolve(state, { type, data }) {
    switch (type) {
      case "OrderPlaced":
        return { ...state, ...data };
      case "OrderConfirmed":
        return { ...state, status: "confirmed" };
      case "OrderShipped":
        return { ...state, status: "shipped" };
      case "OrderCancelled":
        return { ...state, status: "cancelled", reason: data.reason };
    }
  },

  load(db, id) {
    return db.selectFrom("write.orders").where("id", "=", id).select((eb) => [
      "customer_id as customerId",
      "status",
      "reason",
      "payment_token as paymentToken",
      "version",
      jsonArrayFrom(
        eb.selectFrom("write.order_lines").whereRef("order_id", "=", "write.orders.id").orderBy("line_number")
          .select(["product_id as productId", "quantity", "unit_price_cents as unitPriceCents"]),
      ).as("lines"),
    ]);
  },

  save(db, { id, state: { customerId, status, reason, paymentToken, lines }, version, created }) {
    if (!created) {
      return db.with(
        "order",
        (qb) => qb.updateTable("write.orders").set({ status, reason, version }).where("id", "=", id),
      );
    }
    return db
      .with("order", (qb) =>
        qb.insertInto("write.orders")
          .values({ id, customer_id: customerId, status, reason, payment_token: paymentToken, version }))
      // Arrays give the statement the same text for any number of lines.
      .with("lines", (qb) =>
        qb.insertInto("write.order_lines")
          .columns(["order_id", "line_number", "product_id", "quantity", "unit_price_cents"])
          .expression(sql`
            select ${id}::uuid, line.* from rows from (
              generate_series(1, ${lines.length}::integer),
              unnest(${lines.map((line) => line.productId)}::uuid[]),
              unnest(${lines.map((line) => line.quantity)}::integer[]),
              unnest(${lines.map((line) => line.unitPriceCents)}::bigint[])
            ) as line`));
  },
};

declare module "../../database/database.ts" {
  interface Tables {
    "write.orders": {
      id: string;
      customer_id: string;
      status: OrderStatus;
      reason: string | null;
      payment_token: string | null;
      placed_at: Generated<Date>;
      version: number;
    };
    "write.order_lines": {
      order_id: string;
      line_number: number;
      product_id: string;
      quantity: number;
      unit_price_cents: number;
    };
  }
}
