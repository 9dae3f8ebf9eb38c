import * as z from "zod/mini";
import type { Database } from "../../../database/database.ts";
import { ask, type Consistency } from "../../../read/ask.ts";
import { exact, exactNumber } from "../../../read/exact.ts";
import type { ReadModel } from "../../../read/read-model.ts";
import { utc } from "../../../read/utc.ts";
import { orderDetails, orderLines } from "./order-details.ts";

/** Confirmed orders, waiting to be shipped. @see migrations/0108_fulfilment_queue.sql */
export const fulfilmentQueue = {
  name: "fulfilment_queue",
  refresh: "changed keys",
  // A placed order is not in the queue.
  staleKeys: { ...orderDetails.staleKeys, OrderPlaced: () => [] },
} as const satisfies ReadModel<keyof typeof orderDetails.staleKeys>;

export const queuedOrder = z.object({
  id: z.uuid(),
  customerId: z.uuid(),
  totalCents: exactNumber,
  lines: orderLines,
  placedAt: z.iso.datetime(),
  version: z.int(),
});

export type QueuedOrder = z.infer<typeof queuedOrder>;

/** Asks for the orders to ship next, oldest first. */
export function listQueue(db: Database, limit: number, consistency: Consistency) {
  return ask(db, fulfilmentQueue, consistency, (from) =>
    db.selectFrom(from)
      .select(["order_id as id", "customer_id as customerId", exact("total_cents").as("totalCents"), "lines"])
      .select([utc("placed_at").as("placedAt"), "version"])
      .orderBy("placed_at").orderBy("order_id").limit(limit));
}

declare module "../../../database/database.ts" {
  interface Tables {
    "read.fulfilment_queue": {
      order_id: string;
      customer_id: string;
      total_cents: string;
      lines: QueuedOrder["lines"];
      placed_at: Date;
      version: number;
    };
  }
}
