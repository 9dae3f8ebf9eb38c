import * as z from "zod/mini";
import { CommandRejected } from "../../../errors.ts";
import { text } from "../../../shapes.ts";
import type { Command } from "../../../write/command.ts";
import type { OrderEvent } from "../events.ts";
import { type Order, order } from "../order.ts";

const input = z.strictObject({ reason: text(500) });

export type CancelOrder = z.infer<typeof input>;

/** Cancels an order, at any time before shipping. */
export const cancelOrder: Command<CancelOrder, Order, OrderEvent> = {
  name: "CancelOrder",
  input,
  aggregate: order,
  decide({ reason }, { status, lines }) {
    if (status === "shipped" || status === "cancelled") {
      throw new CommandRejected("order-not-cancellable", `Cannot cancel order: it is ${status}`);
    }
    return [{ type: "OrderCancelled", data: { reason, lines } }];
  },
};
