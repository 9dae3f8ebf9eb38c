import * as z from "zod/mini";
import type { Command } from "../../../write/command.ts";
import type { PaymentEvent } from "../events.ts";
import { type Payment, payment } from "../payment.ts";

const input = z.strictObject({});

export type RefundPayment = z.infer<typeof input>;

/** Requests the refund of a payment taken or still requested; otherwise does nothing. */
export const refundPayment: Command<RefundPayment, Payment, PaymentEvent> = {
  name: "RefundPayment",
  input,
  aggregate: payment,
  decide(_command, { status }) {
    return status === "requested" || status === "taken" ? [{ type: "RefundRequested", data: {} }] : [];
  },
};
