import { Hono } from "hono";
import * as z from "zod/mini";
import { NotFound } from "../../../errors.ts";
import type { Env } from "../../../http/env.ts";
import { byIdQuery, consistencyOf, queryOperation, rowsOf } from "../../../http/freshness.ts";
import { path, query } from "../../../http/input.ts";
import { after, limit, pageOf, toPage } from "../../../read/page.ts";
import { byId, day, id, time } from "../../../shapes.ts";
import { listQueue, queuedOrder } from "./fulfilment-queue.ts";
import { findOrder, listOrders, orderStatus, orderView } from "./order-details.ts";
import { dayOfSales, listSales } from "./sales-by-day.ts";

const orderFilter = z.strictObject({
  customerId: z.optional(id),
  status: z.optional(orderStatus),
  limit,
  after: z.optional(after(z.tuple([time, z.uuid()]))),
});
const queueFilter = z.strictObject({ limit });
const salesFilter = z.strictObject({ from: z.optional(day), to: z.optional(day) });

export function orderingQueries() {
  return new Hono<Env>()
    .get("/orders/:id", queryOperation("One order", orderView), path(byId), query(byIdQuery), async (c) => {
      const { id } = c.req.valid("param");
      const consistency = consistencyOf(c, c.req.valid("query").consistency);
      const [order] = await rowsOf(c, consistency, (db) => findOrder(db, id, consistency));
      if (!order) throw new NotFound(`Cannot find order ${id}`);
      return c.json(order);
    })
    .get(
      "/orders",
      queryOperation("Orders, newest first", pageOf(orderView)),
      query(orderFilter),
      async (c) => {
        const consistency = consistencyOf(c);
        const asked = c.req.valid("query");
        const rows = await rowsOf(c, consistency, (db) => listOrders(db, asked, consistency));
        return c.json(toPage(rows, asked.limit, ({ placedAt, id }) => [placedAt, id]));
      },
    )
    .get(
      "/fulfilment",
      queryOperation("Orders to ship, oldest first", itemsOf(queuedOrder)),
      query(queueFilter),
      async (c) => {
        const [consistency, { limit }] = [consistencyOf(c), c.req.valid("query")];
        const rows = await rowsOf(c, consistency, (db) => listQueue(db, limit, consistency));
        return c.json({ items: toPage(rows, limit, () => []).items });
      },
    )
    .get(
      "/sales/daily",
      queryOperation("Sales by day", itemsOf(dayOfSales)),
      query(salesFilter),
      async (c) => {
        const consistency = consistencyOf(c);
        return c.json({
          items: await rowsOf(c, consistency, (db) => listSales(db, c.req.valid("query"), consistency)),
        });
      },
    );
}

function itemsOf(shape: z.ZodMiniType) {
  return z.object({ items: z.array(shape) });
}
