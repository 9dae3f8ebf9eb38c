import * as z from "zod/mini";
import { CommandRejected } from "../../../errors.ts";
import type { Command } from "../../../write/command.ts";
import type { OrderEvent } from "../events.ts";
import { type Order, order } from "../order.ts";

const input = z.strictObject({
  reason: z.enum([
    "out-of-stock",
    "total-too-large",
    "payment-declined",
    "payment-timed-out",
    "payment-not-asked",
  ]),
});

export type RejectOrder = z.infer<typeof input>;

/** Cancels an order on behalf of the shop, at any time before the confirmation. */
export const rejectOrder: Command<RejectOrder, Order, OrderEvent> = {
  name: "RejectOrder",
  input,
  aggregate: order,
  decide({ reason }, { status, lines }) {
    if (status !== "placed") {
      throw new CommandRejected("order-not-placed", `Cannot reject order: it is ${status}`);
    }
    return [{ type: "OrderCancelled", data: { reason, lines } }];
  },
};
