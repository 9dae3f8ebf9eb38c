import { Hono } from "hono";
import { NotFound } from "../../../errors.ts";
import type { Env } from "../../../http/env.ts";
import { byIdQuery, consistencyOf, queryOperation, rowsOf } from "../../../http/freshness.ts";
import { path, query } from "../../../http/input.ts";
import { byId } from "../../../shapes.ts";
import { findProgress, progressView } from "./order-progress.ts";

export function fulfilmentQueries() {
  return new Hono<Env>()
    .get(
      "/orders/:id/progress",
      queryOperation("How far an order has come", progressView),
      path(byId),
      query(byIdQuery),
      async (c) => {
        const { id } = c.req.valid("param");
        const consistency = consistencyOf(c, c.req.valid("query").consistency);
        const [progress] = await rowsOf(c, consistency, (db) => findProgress(db, id, consistency));
        if (!progress) throw new NotFound(`Cannot find order ${id}`);
        return c.json(progress);
      },
    );
}
