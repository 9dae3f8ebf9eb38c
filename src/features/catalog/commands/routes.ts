import { Hono } from "hono";
import { carryOut, commandOperation } from "../../../http/carry-out.ts";
import type { Env } from "../../../http/env.ts";
import { body, path } from "../../../http/input.ts";
import { byId } from "../../../shapes.ts";
import { addProduct } from "./add-product.ts";
import { changePrice } from "./change-price.ts";

export function catalogCommands() {
  return new Hono<Env>()
    .post("/products", commandOperation("Add a product", { creates: true }), body(addProduct.input), (c) => {
      const input = c.req.valid("json");
      return carryOut(c, addProduct, { id: input.id, input });
    })
    .post(
      "/products/:id/price",
      commandOperation("Change the price of a product"),
      path(byId),
      body(changePrice.input),
      (c) => carryOut(c, changePrice, { ...c.req.valid("param"), input: c.req.valid("json") }),
    );
}
