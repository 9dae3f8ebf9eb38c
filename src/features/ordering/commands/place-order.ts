import { sql } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/postgres";
import * as z from "zod/mini";
import { CommandRejected } from "../../../errors.ts";
import { id, pieces, text } from "../../../shapes.ts";
import type { Command } from "../../../write/command.ts";
import { type OrderEvent, totalOf } from "../events.ts";
import { type Order, order } from "../order.ts";

const line = z.strictObject({ productId: id, quantity: pieces });

const eachProductOnce = z.superRefine<z.infer<typeof line>[]>((lines, context) => {
  const seen = new Set<string>();
  lines.forEach(({ productId }, index) => {
    if (seen.has(productId)) {
      context.addIssue({ code: "custom", path: [index, "productId"], message: "Each product only once" });
    }
    seen.add(productId);
  });
});

const input = z.strictObject({
  id: z.optional(id),
  customerId: id,
  lines: z.array(line).check(z.minLength(1), z.maxLength(100), eachProductOnce),
  paymentToken: z.optional(text(200)),
});

export type PlaceOrder = z.infer<typeof input>;

/** Facts from the rest of the shop: the customer is known or not, and the current prices. */
export interface Shop {
  customerIsKnown: boolean;
  products: { id: string; priceCents: number }[];
}

/** Places an order, at the current prices. */
export const placeOrder: Command<PlaceOrder, Order, OrderEvent, Shop> = {
  name: "PlaceOrder",
  input,
  aggregate: order,
  creates: true,

  load(db, _id, { customerId, lines }) {
    const productIds = lines.map((line) => line.productId);
    return db.selectNoFrom((eb) => [
      eb.exists(eb.selectFrom("write.customers").where("id", "=", customerId)).$castTo<boolean>().as(
        "customerIsKnown",
      ),
      jsonArrayFrom(
        eb.selectFrom("write.products").select(["id", "price_cents as priceCents"])
          .where("id", "=", sql<string>`any(${productIds}::uuid[])`),
      ).as("products"),
    ]);
  },

  decide({ customerId, lines, paymentToken = null }, { customerIsKnown, products }) {
    if (!customerIsKnown) {
      throw new CommandRejected("unknown-customer", `Cannot place order: there is no customer ${customerId}`);
    }
    const prices = new Map(products.map((product) => [product.id, product.priceCents]));
    const priced = lines.map(({ productId, quantity }) => {
      const unitPriceCents = prices.get(productId);
      if (unitPriceCents === undefined) {
        throw new CommandRejected("unknown-product", `Cannot place order: there is no product ${productId}`);
      }
      return { productId, quantity, unitPriceCents };
    });
    if (!Number.isSafeInteger(totalOf(priced))) {
      throw new CommandRejected(
        "total-too-large",
        `Cannot place order: the total is beyond ${Number.MAX_SAFE_INTEGER} cents`,
      );
    }
    return [{ type: "OrderPlaced", data: { customerId, lines: priced, paymentToken } }];
  },
};
