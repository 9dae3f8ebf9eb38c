import * as z from "zod/mini";
import type { Database } from "../../../database/database.ts";
import { ask, type Consistency } from "../../../read/ask.ts";
import { exact, exactNumber } from "../../../read/exact.ts";
import { itself, type ReadModel } from "../../../read/read-model.ts";
import { utc } from "../../../read/utc.ts";
import type { ProductEvent } from "../../catalog/events.ts";
import type { OrderEvent } from "../events.ts";

/** An order with its lines. @see migrations/0106_order_details.sql */
export const orderDetails = {
  name: "order_details",
  refresh: "changed keys",
  staleKeys: {
    OrderPlaced: itself,
    OrderConfirmed: itself,
    OrderShipped: itself,
    OrderCancelled: itself,
    // Lines show the name of a product: a name never changes.
    ProductAdded: () => [],
    PriceChanged: () => [],
  },
} as const satisfies ReadModel<(OrderEvent | ProductEvent)["type"]>;

export const orderStatus = z.enum(["placed", "confirmed", "shipped", "cancelled"]);

export const orderLines = z.array(
  z.object({ productId: z.uuid(), name: z.string(), quantity: z.int(), unitPriceCents: exactNumber }),
);

export const orderView = z.object({
  id: z.uuid(),
  customerId: z.uuid(),
  status: orderStatus,
  reason: z.nullable(z.string()),
  totalCents: exactNumber,
  lines: orderLines,
  placedAt: z.iso.datetime(),
  version: z.int(),
});

export type OrderView = z.infer<typeof orderView>;

export interface OrderFilter {
  customerId?: string | undefined;
  status?: OrderView["status"] | undefined;
  limit: number;
  /** The page begins after the order with this `placedAt` and `id`. */
  after?: [string, string] | undefined;
}

/** Asks for an order: a single row, or none. */
export function findOrder(db: Database, id: string, consistency: Consistency) {
  return ask(db, orderDetails, consistency, (from) => selectOrder(db, from).where("order_id", "=", id));
}

/** Asks for orders, newest first: at most `limit + 1`, for `toPage`. */
export function listOrders(
  db: Database,
  { customerId, status, limit, after }: OrderFilter,
  consistency: Consistency,
) {
  return ask(db, orderDetails, consistency, (from) =>
    selectOrder(db, from)
      .$if(customerId !== undefined, (qb) => qb.where("customer_id", "=", customerId!))
      .$if(status !== undefined, (qb) => qb.where("status", "=", status!))
      .$if(after !== undefined, (qb) =>
        qb.where((eb) =>
          eb(eb.refTuple("placed_at", "order_id"), "<", eb.tuple(new Date(after![0]), after![1]))
        ))
      .orderBy("placed_at", "desc").orderBy("order_id", "desc").limit(limit + 1));
}

function selectOrder(db: Database, from: "read.order_details") {
  return db.selectFrom(from).select([
    "order_id as id",
    "customer_id as customerId",
    "status",
    "reason",
    exact("total_cents").as("totalCents"),
    "lines",
    utc("placed_at").as("placedAt"),
    "version",
  ]);
}

declare module "../../../database/database.ts" {
  interface Tables {
    "read.order_details": {
      order_id: string;
      customer_id: string;
      status: OrderView["status"];
      reason: string | null;
      total_cents: string;
      lines: OrderView["lines"];
      placed_at: Date;
      version: number;
    };
  }
}
