import { Hono } from "hono";
import { carryOut, commandOperation } from "../../../http/carry-out.ts";
import type { Env } from "../../../http/env.ts";
import { body, path } from "../../../http/input.ts";
import { byId } from "../../../shapes.ts";
import { cancelOrder } from "./cancel-order.ts";
import { placeOrder } from "./place-order.ts";
import { shipOrder } from "./ship-order.ts";

export function orderingCommands() {
  return new Hono<Env>()
    .post(
      "/orders",
      commandOperation("Place an order", {
        creates: true,
        rejections: ["unknown-customer", "unknown-product", "total-too-large"],
      }),
      body(placeOrder.input),
      (c) => {
        const input = c.req.valid("json");
        return carryOut(c, placeOrder, { id: input.id, input });
      },
    )
    .post(
      "/orders/:id/cancel",
      commandOperation("Cancel an order", { rejections: ["order-not-cancellable"] }),
      path(byId),
      body(cancelOrder.input),
      (c) => carryOut(c, cancelOrder, { ...c.req.valid("param"), input: c.req.valid("json") }),
    )
    .post(
      "/orders/:id/ship",
      commandOperation("Ship an order", { rejections: ["order-not-confirmed"] }),
      path(byId),
      body(shipOrder.input),
      (c) => carryOut(c, shipOrder, { ...c.req.valid("param"), input: c.req.valid("json") }),
    );
}
