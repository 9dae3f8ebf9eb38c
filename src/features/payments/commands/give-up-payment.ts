import * as z from "zod/mini";
import type { Command } from "../../../write/command.ts";
import type { PaymentEvent } from "../events.ts";
import { type Payment, payment } from "../payment.ts";

const input = z.strictObject({});

export type GiveUpPayment = z.infer<typeof input>;

/** Gives up on a payment that the gateway was never asked for. Nothing is to be refunded. */
export const giveUpPayment: Command<GiveUpPayment, Payment, PaymentEvent> = {
  name: "GiveUpPayment",
  input,
  aggregate: payment,
  decide(_command, { status, asked }) {
    return status === "requested" && !asked ? [{ type: "PaymentNotAsked", data: {} }] : [];
  },
};
