import * as z from "zod/mini";
import type { Command } from "../../../write/command.ts";
import type { PaymentEvent } from "../events.ts";
import { type Payment, payment } from "../payment.ts";

const input = z.strictObject({ outcome: z.enum(["taken", "declined"]) });

export type RecordPayment = z.infer<typeof input>;

/** The gateway has answered. An answer that comes too late changes nothing: by then, a refund is on its way. */
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
