import * as z from "zod/mini";
import { CommandRejected } from "../../../errors.ts";
import type { Command } from "../../../write/command.ts";
import type { PaymentEvent } from "../events.ts";
import { type Payment, payment } from "../payment.ts";

const input = z.strictObject({});

export type AskForPayment = z.infer<typeof input>;

/** Begins the time limit for the gateway's answer, once. Rejected when nothing is to be asked any more. */
export const askForPayment: Command<AskForPayment, Payment, PaymentEvent> = {
  name: "AskForPayment",
  input,
  aggregate: payment,
  decide(_command, { status, asked }) {
    if (status !== "requested") {
      throw new CommandRejected("payment-not-requested", `Cannot ask for payment: it is ${status}`);
    }
    return asked ? [] : [{ type: "PaymentAsked", data: {} }];
  },
};
