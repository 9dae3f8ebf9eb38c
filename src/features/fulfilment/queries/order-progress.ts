import * as z from "zod/mini";
import type { Database } from "../../../database/database.ts";
import { ask, type Consistency } from "../../../read/ask.ts";
import { exact, exactNumber } from "../../../read/exact.ts";
import { itself, type ReadModel } from "../../../read/read-model.ts";
import { utc } from "../../../read/utc.ts";
import type { RecordedEvent } from "../../../write/event.ts";
import type { StockEvent, StockReleased, StockReserved } from "../../inventory/events.ts";
import type { OrderEvent } from "../../ordering/events.ts";
import type { PaymentEvent } from "../../payments/events.ts";

/** The progress of an order's fulfilment. @see migrations/0110_order_progress.sql */
export const orderProgress = {
  name: "order_progress",
  refresh: "changed keys",
  staleKeys: {
    OrderPlaced: itself,
    OrderConfirmed: itself,
    OrderShipped: itself,
    OrderCancelled: itself,
    StockReceived: () => [],
    StockReserved: itsOrder,
    StockReleased: itsOrder,
    PaymentRequested: itself,
    PaymentAsked: itself,
    PaymentNotAsked: itself,
    PaymentTaken: itself,
    PaymentDeclined: itself,
    PaymentTimedOut: itself,
    RefundRequested: itself,
    PaymentRefunded: itself,
  },
} as const satisfies ReadModel<(OrderEvent | StockEvent | PaymentEvent)["type"]>;

function itsOrder(event: RecordedEvent): string[] {
  return [(event as RecordedEvent<StockReserved | StockReleased>).data.orderId];
}

export const progressView = z.object({
  id: z.uuid(),
  status: z.enum(["placed", "confirmed", "shipped", "cancelled"]),
  reason: z.nullable(z.string()),
  reservedPieces: exactNumber,
  /** Null until the payment is requested, after the reservation of all pieces. */
  payment: z.nullable(z.enum(["requested", "taken", "declined", "not asked", "refunding", "refunded"])),
  amountCents: z.nullable(exactNumber),
  refundedCents: z.nullable(exactNumber),
  /** The deadline for the payment: the order is cancelled afterwards. Null without an awaited answer. */
  paymentDueAt: z.nullable(z.iso.datetime()),
});

type ProgressView = z.infer<typeof progressView>;

/** Asks for the progress of an order: a single row, or none. */
export function findProgress(db: Database, id: string, consistency: Consistency) {
  return ask(db, orderProgress, consistency, (from) =>
    db.selectFrom(from)
      .select([
        "order_id as id",
        "status",
        "reason",
        exact("reserved_pieces").as("reservedPieces"),
        "payment",
      ])
      .select([
        exactOrNull("amount_cents").as("amountCents"),
        exactOrNull("refunded_cents").as("refundedCents"),
      ])
      .select(utc("payment_due_at").$castTo<string | null>().as("paymentDueAt"))
      .where("order_id", "=", id));
}

function exactOrNull(column: string) {
  return exact(column).$castTo<number | string | null>();
}

declare module "../../../database/database.ts" {
  interface Tables {
    "read.order_progress": {
      order_id: string;
      status: ProgressView["status"];
      reason: string | null;
      reserved_pieces: string;
      payment: ProgressView["payment"];
      amount_cents: number | null;
      refunded_cents: number | null;
      payment_due_at: Date | null;
    };
  }
}
