import * as z from "zod/mini";
import type { Command } from "../../../write/command.ts";
import type { PaymentEvent } from "../events.ts";
import { type Payment, payment } from "../payment.ts";

const input = z.strictObject({ amountCents: z.int().check(z.minimum(0)) });

export type RecordRefund = z.infer<typeof input>;

/** Records the refunded amount: 0 if the gateway had taken nothing. */
export const recordRefund: Command<RecordRefund, Payment, PaymentEvent> = {
  name: "RecordRefund",
  input,
  aggregate: payment,
  decide({ amountCents }, { status }) {
    return status === "refunding" ? [{ type: "PaymentRefunded", data: { amountCents } }] : [];
  },
};
