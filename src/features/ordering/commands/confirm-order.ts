import * as z from "zod/mini";
import { CommandRejected } from "../../../errors.ts";
import type { Command } from "../../../write/command.ts";
import type { OrderEvent } from "../events.ts";
import { type Order, order } from "../order.ts";

const input = z.strictObject({});

export type ConfirmOrder = z.infer<typeof input>;

/** Confirms an order: the delivery may begin. A repetition changes nothing, even after shipping. */
export const confirmOrder: Command<ConfirmOrder, Order, OrderEvent> = {
  name: "ConfirmOrder",
  input,
  aggregate: order,
  decide(_command, { status }) {
    if (status === "confirmed" || status === "shipped") return [];
    if (status !== "placed") {
      throw new CommandRejected("order-not-placed", `Cannot confirm order: it is ${status}`);
    }
    return [{ type: "OrderConfirmed", data: {} }];
  },
};
