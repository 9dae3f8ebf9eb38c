import { sql } from "kysely";
import * as z from "zod/mini";
import type { Database } from "../../../database/database.ts";
import { ask, type Consistency } from "../../../read/ask.ts";
import { exact, exactNumber } from "../../../read/exact.ts";
import { itself, type ReadModel } from "../../../read/read-model.ts";
import type { OrderEvent } from "../events.ts";

/**
 * The sales of each day, in a materialized view refreshed as a whole. The keys are not used, but an event
 * with keys concerns the view.
 * @see migrations/0109_sales_by_day.sql
 */
export const salesByDay = {
  name: "sales_by_day",
  refresh: "whole",
  staleKeys: {
    OrderConfirmed: itself,
    OrderCancelled: itself,
    // A placed order does not count yet, and a shipped order counts like a confirmed order.
    OrderPlaced: () => [],
    OrderShipped: () => [],
  },
} as const satisfies ReadModel<OrderEvent["type"]>;

export const dayOfSales = z.object({ day: z.iso.date(), orders: z.int(), revenueCents: exactNumber });

/** Asks for the sales of confirmed and shipped orders by the UTC day of placing, `from` and `to` included. */
export function listSales(
  db: Database,
  range: { from?: string | undefined; to?: string | undefined },
  consistency: Consistency,
) {
  return ask(
    db,
    salesByDay,
    consistency,
    (from) =>
      db.selectFrom(from).select([
        sql<string>`day::text`.as("day"),
        "orders",
        exact("revenue_cents").as("revenueCents"),
      ])
        .$if(range.from !== undefined, (qb) => qb.where("day", ">=", range.from!))
        .$if(range.to !== undefined, (qb) => qb.where("day", "<=", range.to!))
        .orderBy("day"),
  );
}

declare module "../../../database/database.ts" {
  interface Tables {
    "read.sales_by_day": { day: string; orders: number; revenue_cents: string };
  }
}
