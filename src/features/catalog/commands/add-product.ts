import * as z from "zod/mini";
import { cents, id, text } from "../../../shapes.ts";
import type { Command } from "../../../write/command.ts";
import type { ProductEvent } from "../events.ts";
import { type Product, product } from "../product.ts";

const input = z.strictObject({ id: z.optional(id), name: text(200), priceCents: cents });

export type AddProduct = z.infer<typeof input>;

/** Adds a product to the catalogue. */
export const addProduct: Command<AddProduct, Product, ProductEvent, null> = {
  name: "AddProduct",
  input,
  aggregate: product,
  creates: true,
  decide({ name, priceCents }) {
    return [{ type: "ProductAdded", data: { name, priceCents } }];
  },
};
