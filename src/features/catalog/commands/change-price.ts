import * as z from "zod/mini";
import { cents } from "../../../shapes.ts";
import type { Command } from "../../../write/command.ts";
import type { ProductEvent } from "../events.ts";
import { type Product, product } from "../product.ts";

const input = z.strictObject({ priceCents: cents });

export type ChangePrice = z.infer<typeof input>;

/** Changes the price of a product; placed orders keep the old price. */
export const changePrice: Command<ChangePrice, Product, ProductEvent> = {
  name: "ChangePrice",
  input,
  aggregate: product,
  decide({ priceCents }, product) {
    return priceCents === product.priceCents ? [] : [{ type: "PriceChanged", data: { priceCents } }];
  },
};
