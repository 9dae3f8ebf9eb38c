import * as z from "zod/mini";
import { CommandRejected } from "../../../errors.ts";
import { id, pieces } from "../../../shapes.ts";
import type { Command } from "../../../write/command.ts";
import type { StockEvent } from "../events.ts";
import { loadStock, type Stock, stock } from "../stock.ts";

const input = z.strictObject({ orderId: id, quantity: pieces });

export type ReserveStock = z.infer<typeof input>;

/** Reserves pieces for an order, once. A repetition changes nothing, or is rejected after the release. */
export const reserveStock: Command<ReserveStock, Stock, StockEvent> = {
  name: "ReserveStock",
  input,
  aggregate: stock,
  load: (db, productId, { orderId }) => loadStock(db, productId, [orderId]),
  decide({ orderId, quantity }, { available, reserved }) {
    if (reserved[orderId] === 0) {
      throw new CommandRejected(
        "reservation-released",
        `Cannot reserve for order ${orderId}: it was released`,
      );
    }
    if (reserved[orderId] !== undefined) return [];
    if (quantity > available) {
      throw new CommandRejected(
        "insufficient-stock",
        `Cannot reserve ${quantity} for order ${orderId}: ${available} left`,
      );
    }
    return [{ type: "StockReserved", data: { orderId, quantity } }];
  },
};
