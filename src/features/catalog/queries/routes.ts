import { Hono } from "hono";
import * as z from "zod/mini";
import { NotFound } from "../../../errors.ts";
import type { Env } from "../../../http/env.ts";
import { byIdQuery, consistencyOf, queryOperation, rowsOf } from "../../../http/freshness.ts";
import { path, query } from "../../../http/input.ts";
import { after, limit, pageOf, toPage } from "../../../read/page.ts";
import { byId, storedText, text } from "../../../shapes.ts";
import { findProduct, listProducts, productView } from "./product-catalog.ts";

const filter = z.strictObject({
  search: z.optional(text(200)),
  limit,
  after: z.optional(after(z.tuple([storedText, z.uuid()]))),
});

export function catalogQueries() {
  return new Hono<Env>()
    .get(
      "/products/:id",
      queryOperation("One product", productView),
      path(byId),
      query(byIdQuery),
      async (c) => {
        const { id } = c.req.valid("param");
        const consistency = consistencyOf(c, c.req.valid("query").consistency);
        const [product] = await rowsOf(c, consistency, (db) => findProduct(db, id, consistency));
        if (!product) throw new NotFound(`Cannot find product ${id}`);
        return c.json(product);
      },
    )
    .get("/products", queryOperation("Products by name", pageOf(productView)), query(filter), async (c) => {
      const consistency = consistencyOf(c);
      const asked = c.req.valid("query");
      const rows = await rowsOf(c, consistency, (db) => listProducts(db, asked, consistency));
      return c.json(toPage(rows, asked.limit, ({ name, id }) => [name, id]));
    });
}
