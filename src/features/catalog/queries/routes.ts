import { Hono } from "hono";
import * as z from "zod";
import { NotFound } from "../../../errors.ts";
import type { Databases, Env } from "../../../http/env.ts";
import { byIdQuery, consistencyOf, queryOperation, rowsOf } from "../../../http/freshness.ts";
import { path, query } from "../../../http/input.ts";
import { after, limit, pageOf, toPage } from "../../../read/page.ts";
import { byId, storedText, text } from "../../../shapes.ts";
import { findProduct, listProducts, productView } from "./product-catalog.ts";

const filter = z.strictObject({
  search: text(200).optional(),
  limit,
  after: after(z.tuple([storedText, z.uuid()])).optional(),
});

export function catalogQueries({ query: db }: Databases) {
  return new Hono<Env>()
    .get(
      "/products/:id",
      queryOperation("One product", productView),
      path(byId),
      query(byIdQuery),
      async (c) => {
        const { id } = c.req.valid("param");
        const consistency = consistencyOf(c, c.req.valid("query").consistency);
        const [product] = rowsOf(c, consistency, await findProduct(db, id, consistency));
        if (!product) throw new NotFound(`Cannot find product ${id}`);
        return c.json(product);
      },
    )
    .get("/products", queryOperation("Products by name", pageOf(productView)), query(filter), async (c) => {
      const consistency = consistencyOf(c);
      const asked = c.req.valid("query");
      const rows = rowsOf(c, consistency, await listProducts(db, asked, consistency));
      return c.json(toPage(rows, asked.limit, ({ name, id }) => [name, id]));
    });
}
