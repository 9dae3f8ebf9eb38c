import type { Aggregate } from "../../write/aggregate.ts";
import type { ProductEvent } from "./events.ts";

export interface Product {
  name: string;
  priceCents: number;
}

/** A product and its price. */
export const product: Aggregate<Product, ProductEvent> = {
  category: "product",
  initial: { name: "", priceCents: 0 },

  evolve(state, { type, data }) {
    switch (type) {
      case "ProductAdded":
        return { name: data.name, priceCents: data.priceCents };
      case "PriceChanged":
        return { ...state, priceCents: data.priceCents };
    }
  },

  load(db, id) {
    return db.selectFrom("write.products").select(["name", "price_cents as priceCents", "version"]).where(
      "id",
      "=",
      id,
    );
  },

  save(db, { id, state, version, created }) {
    const row = { name: state.name, price_cents: state.priceCents, version };
    return db.with(
      "product",
      (qb) =>
        created
          ? qb.insertInto("write.products").values({ id, ...row })
          : qb.updateTable("write.products").set(row).where("id", "=", id),
    );
  },
};

declare module "../../database/database.ts" {
  interface Tables {
    "write.products": { id: string; name: string; price_cents: number; version: number };
  }
}
