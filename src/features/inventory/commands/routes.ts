import { Hono } from "hono";
import { carryOut, commandOperation } from "../../../http/carry-out.ts";
import type { Env } from "../../../http/env.ts";
import { body, path } from "../../../http/input.ts";
import { byId } from "../../../shapes.ts";
import { receiveStock } from "./receive-stock.ts";

export function inventoryCommands() {
  return new Hono<Env>()
    .post(
      "/products/:id/stock",
      commandOperation("Receive stock of a product", { ifMatch: false, rejections: ["number-too-large"] }),
      path(byId),
      body(receiveStock.input),
      (c) =>
        carryOut(c, receiveStock, { ...c.req.valid("param"), input: c.req.valid("json") }, {
          ifMatch: false,
        }),
    );
}
