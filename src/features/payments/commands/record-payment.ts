import * as z from "zod/mini";
import type { Command } from "../../../write/command.ts";
import type { PaymentEvent } from "../events.ts";
import { type Payment, payment } from "../payment.ts";

const input = z.strictObject({ outcome: z.enum(["taken", "declined"]) });

export type RecordPayment = z.infer<typeof input>;

/** Records the gateway's answer. A late answer changes nothing: a refund is on the way already. */
export const recordPayment: Command<RecordPayment, Payment, PaymentEvent> = {
  name: "RecordPayment",
  input,
  aggregate: payment,
  decide({ outcome }, { status, amountCents }) {
    if (status !== "requested") return [];
    return outcome === "taken"
      ? [{ type: "PaymentTaken", data: { amountCents } }]
      : [{ type: "PaymentDeclined", data: {} }];
  },
};
