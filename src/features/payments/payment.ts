import type { Generated } from "kysely";
import type { Aggregate } from "../../write/aggregate.ts";
import type { PaymentEvent } from "./events.ts";

export type PaymentStatus = "requested" | "taken" | "declined" | "refunding" | "refunded";

export interface Payment {
  amountCents: number;
  token: string | null;
  status: PaymentStatus;
  /** The refunded amount; null before the refund. */
  refundedCents: number | null;
}

/**
 * The payment of an order, under the order's id: first `requested`, next `taken` or `declined`. From
 * `requested` and `taken`, a refund leads to `refunding`, and finally to `refunded`.
 */
export const payment: Aggregate<Payment, PaymentEvent> = {
  category: "payment",
  initial: { amountCents: 0, token: null, status: "requested", refundedCents: null },

  evolve(state, { type, data }) {
    switch (type) {
      case "PaymentRequested":
        return { ...state, ...data };
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
    ]);
  },

  save(db, { id, state: { amountCents, token, status, refundedCents }, version, created }) {
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
          : qb.updateTable("write.payments").set(changed).where("order_id", "=", id),
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
      answer_due_at: Generated<Date>;
      version: number;
    };
  }
}
