import * as z from "zod/mini";
import type { Command } from "../../../write/command.ts";
import type { PaymentEvent } from "../events.ts";
import { type Payment, payment } from "../payment.ts";

const input = z.strictObject({});

export type RefundPayment = z.infer<typeof input>;

/** Gives back what was taken or is being taken; nothing happens when there is nothing to give back. */
export const refundPayment: Command<RefundPayment, Payment, PaymentEvent> = {
  name: "RefundPayment",
  input,
  aggregate: payment,
  decide(_command, { status }) {
    return status === "requested" || status === "taken" ? [{ type: "RefundRequested", data: {} }] : [];
  },
};
