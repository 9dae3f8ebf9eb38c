import { sql } from "kysely";
import * as z from "zod/mini";
import type { Database } from "../../../database/database.ts";
import type { Query } from "../../../write/aggregate.ts";
import type { Command } from "../../../write/command.ts";
import type { PaymentEvent } from "../events.ts";
import { type Payment, payment, type PaymentStatus } from "../payment.ts";

const input = z.strictObject({ amountCents: z.int().check(z.minimum(0)), token: z.nullable(z.string()) });

export type RequestPayment = z.infer<typeof input>;

/** Requests the payment of an order, once. */
export const requestPayment: Command<RequestPayment, Payment, PaymentEvent> = {
  name: "RequestPayment",
  input,
  aggregate: payment,
  load: loadOrBegin,
  decide(data, { version }) {
    return version > 0 ? [] : [{ type: "PaymentRequested", data }];
  },
};

/** Loads the payment of an order; at version 0 before the request. */
function loadOrBegin(db: Database, orderId: string): Query<Payment & { version: number }> {
  return db.selectFrom("write.orders as order").leftJoin(
    "write.payments as payment",
    "payment.order_id",
    "order.id",
  )
    .where("order.id", "=", orderId)
    .select(({ fn, lit, val }) => [
      fn.coalesce("payment.amount_cents", lit(0)).as("amountCents"),
      "payment.token",
      fn.coalesce("payment.status", val<PaymentStatus>("requested")).as("status"),
      "payment.refunded_cents as refundedCents",
      sql<boolean>`payment.answer_due_at is not null`.as("asked"),
      fn.coalesce("payment.version", lit(0)).as("version"),
    ]);
}
