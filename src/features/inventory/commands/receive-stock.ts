import * as z from "zod/mini";
import { pieces } from "../../../shapes.ts";
import type { Command } from "../../../write/command.ts";
import type { StockEvent } from "../events.ts";
import { loadStock, type Stock, stock } from "../stock.ts";

const input = z.strictObject({ quantity: pieces });

export type ReceiveStock = z.infer<typeof input>;

/** Adds delivered pieces to the stock. */
export const receiveStock: Command<ReceiveStock, Stock, StockEvent> = {
  name: "ReceiveStock",
  input,
  aggregate: stock,
  load: (db, productId) => loadStock(db, productId, []),
  decide({ quantity }) {
    return [{ type: "StockReceived", data: { quantity } }];
  },
};
