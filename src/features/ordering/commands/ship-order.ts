import * as z from "zod/mini";
import { CommandRejected } from "../../../errors.ts";
import type { Command } from "../../../write/command.ts";
import type { OrderEvent } from "../events.ts";
import { type Order, order } from "../order.ts";

const input = z.strictObject({});

export type ShipOrder = z.infer<typeof input>;

/** Records the shipping of a confirmed order. */
export const shipOrder: Command<ShipOrder, Order, OrderEvent> = {
  name: "ShipOrder",
  input,
  aggregate: order,
  decide(_command, { status }) {
    if (status !== "confirmed") {
      throw new CommandRejected("order-not-confirmed", `Cannot ship order: it is ${status}`);
    }
    return [{ type: "OrderShipped", data: {} }];
  },
};
