import * as z from "zod/mini";
import { id } from "../../../shapes.ts";
import type { Command } from "../../../write/command.ts";
import type { StockEvent } from "../events.ts";
import { loadStock, type Stock, stock } from "../stock.ts";

const input = z.strictObject({ orderId: id });

export type ReleaseStock = z.infer<typeof input>;

/** Releases an order's pieces. Recorded even without a reservation: a later reservation is too late. */
export const releaseStock: Command<ReleaseStock, Stock, StockEvent> = {
  name: "ReleaseStock",
  input,
  aggregate: stock,
  load: (db, productId, { orderId }) => loadStock(db, productId, [orderId]),
  decide({ orderId }, { reserved }) {
    if (reserved[orderId] === 0) return [];
    return [{ type: "StockReleased", data: { orderId, quantity: reserved[orderId] ?? 0 } }];
  },
};
