import { Hono } from "hono";
import * as z from "zod/mini";
import { NotFound } from "../errors.ts";
import { after, limit, pageOf, toPage } from "../read/page.ts";
import { listParked, retryParked } from "../relay/handlers/parked.ts";
import type { Env } from "./env.ts";
import { body, path, query } from "./input.ts";
import { operation } from "./openapi.ts";

const parkedEvent = z.object({
  id: z.int(),
  subscription: z.string(),
  position: z.int(),
  eventId: z.uuid(),
  stream: z.string(),
  version: z.int(),
  type: z.string(),
  attempts: z.int(),
  error: z.nullable(z.string()),
  parkedAt: z.iso.datetime(),
  waiting: z.int(),
});
const page = z.strictObject({ limit, after: z.optional(after(z.tuple([z.int()]))) });
const retried = z.object({ retried: z.int() });
const byNumber = z.strictObject({
  id: z.coerce.number().check(z.int(), z.minimum(1), z.maximum(Number.MAX_SAFE_INTEGER)),
});
const bySubscription = z.strictObject({ subscription: z.string().check(z.minLength(1)) });

/** The operator's routes to list events that the relay has given up, and to try the events again. */
export function parked() {
  return new Hono<Env>()
    .get(
      "/ops/parked",
      operation({
        summary: "Events that were given up",
        secured: true,
        answers: { 200: pageOf(parkedEvent) },
      }),
      query(page),
      async (c) => {
        const { limit, after: [id] = [0] } = c.req.valid("query");
        return c.json(toPage(await listParked(c.env.relay.db, id, limit + 1), limit, ({ id }) => [id]));
      },
    )
    .post(
      "/ops/parked/retry",
      operation({
        summary: "Try again what a subscription has given up",
        secured: true,
        answers: { 200: retried },
      }),
      body(bySubscription),
      async (c) => c.json({ retried: await retryParked(c.env.relay.db, c.req.valid("json")) }),
    )
    .post(
      "/ops/parked/:id/retry",
      operation({ summary: "Try an event again", secured: true, answers: { 200: retried } }),
      path(byNumber),
      async (c) => {
        const { id } = c.req.valid("param");
        const count = await retryParked(c.env.relay.db, { id });
        if (count === 0) throw new NotFound(`Cannot find parked event ${id}`);
        return c.json({ retried: count });
      },
    );
}
