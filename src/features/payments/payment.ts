import { type Generated, sql } from "kysely";
import type { Aggregate } from "../../write/aggregate.ts";
import type { PaymentEvent } from "./events.ts";

export type PaymentStatus = "requested" | "taken" | "declined" | "not asked" | "refunding" | "refunded";

export interface Payment {
  amountCents: number;
  token: string | null;
  status: PaymentStatus;
  /** True once the gateway was asked, or is about to be. */
  asked: boolean;
  /** The refunded amount; null before the refund. */
  refundedCents: number | null;
}

/**
 * The payment of an order, under the order's id: first `requested`, next `taken`, `declined`, or
 * `not asked` if the gateway could not be asked in time. From `requested` and `taken`, a refund leads to `refunding`, and finally to `refunded`.
 */
export const payment: Aggregate<Payment, PaymentEvent> = {
  category: "payment",
  constraints: { no_more_is_refunded_than_paid: "refund-exceeds-payment" },
  initial: { amountCents: 0, token: null, status: "requested", asked: false, refundedCents: null },

  evolve(state, { type, data }) {
    switch (type) {
      case "PaymentRequested":
        return { ...state, ...data };
      case "PaymentAsked":
        return { ...state, asked: true };
      case "PaymentNotAsked":
        return { ...state, status: "not asked" };
      case "PaymentTaken":
        return { ...state, status: "taken" };
      case "PaymentDeclined":
        return { ...state, status: "declined" };
      case "PaymentTimedOut":
        return state;
      case "RefundRequested":
        return { ...state, status: "refunding" };
      case "PaymentRefunded":
        return { ...state, status: "refunded", refundedCents: data.amountCents };
    }
  },

  load(db, id) {
    return db.selectFrom("write.payments").where("order_id", "=", id).select([
      "amount_cents as amountCents",
      "token",
      "status",
      "refunded_cents as refundedCents",
      "version",
    ]).select(sql<boolean>`answer_due_at is not null`.as("asked"));
  },

  save(db, { id, state: { amountCents, token, status, asked, refundedCents }, version, created }) {
    const answer_due_at = asked
      ? sql<Date>`coalesce(payments.answer_due_at, now() + interval '1 minute')`
      : null;
    const changed = { status, refunded_cents: refundedCents, version };
    return db.with(
      "payment",
      (qb) =>
        created
          ? qb.insertInto("write.payments").values({
            order_id: id,
            amount_cents: amountCents,
            token,
            ...changed,
          })
          : qb.updateTable("write.payments").set({ ...changed, answer_due_at }).where("order_id", "=", id),
    );
  },
};

declare module "../../database/database.ts" {
  interface Tables {
    "write.payments": {
      order_id: string;
      amount_cents: number;
      token: string | null;
      status: PaymentStatus;
      refunded_cents: number | null;
      requested_at: Generated<Date>;
      answer_due_at: Date | null;
      version: number;
    };
  }
}
