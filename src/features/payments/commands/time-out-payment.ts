import * as z from "zod/mini";
import type { Command } from "../../../write/command.ts";
import type { PaymentEvent } from "../events.ts";
import { type Payment, payment } from "../payment.ts";

const input = z.strictObject({});

export type TimeOutPayment = z.infer<typeof input>;

/** Gives up on an unanswered payment, and requests a refund: the gateway may still take the money. */
export const timeOutPayment: Command<TimeOutPayment, Payment, PaymentEvent> = {
  name: "TimeOutPayment",
  input,
  aggregate: payment,
  decide(_command, { status, asked }) {
    if (status !== "requested" || !asked) return [];
    return [{ type: "PaymentTimedOut", data: {} }, { type: "RefundRequested", data: {} }];
  },
};
