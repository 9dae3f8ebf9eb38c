import { Hono } from "hono";
import * as z from "zod/mini";
import { after, limit, pageOf, toPage } from "../read/page.ts";
import {
  listParked,
  parseParkedId,
  retryAllParked,
  retryParked,
  skipParked,
} from "../relay/handlers/parked.ts";
import type { Env } from "./env.ts";
import { body, path, query } from "./input.ts";
import { operation } from "./openapi.ts";

const parkedEvent = z.object({
  id: z.string(),
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
const page = z.strictObject({ limit, after: z.optional(after(z.tuple([z.string(), z.string(), z.int()]))) });
const retried = z.object({ retried: z.int() });
const skipped = z.object({ skipped: z.int() });
const byId = z.strictObject({
  id: z.string().check(
    z.maxLength(1_000),
    z.refine((id) => parseParkedId(id) !== undefined, "is not <subscription>:<stream>:<version>"),
  ),
});
const text = z.string().check(z.minLength(1), z.maxLength(10_000));
const bySubscription = z.strictObject({ subscription: text, error: z.optional(text) });
const withReason = z.strictObject({ reason: text });

/** The operator's routes for events that the relay has given up: to list, to retry, and to skip events. */
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
        const { limit, after = ["", "", 0] } = c.req.valid("query");
        const rows = await listParked(c.env.relay.db, after, limit + 1);
        return c.json(
          toPage(rows, limit, ({ subscription, stream, version }) => [subscription, stream, version]),
        );
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
      async (c) => c.json({ retried: await retryAllParked(c.env.relay.db, c.req.valid("json")) }),
    )
    .post(
      "/ops/parked/:id/retry",
      operation({ summary: "Try an event again", secured: true, answers: { 200: retried } }),
      path(byId),
      async (c) => {
        await retryParked(c.env.relay.db, parseParkedId(c.req.valid("param").id)!);
        return c.json({ retried: 1 });
      },
    )
    .post(
      "/ops/parked/:id/skip",
      operation({ summary: "Pass over an event for ever", secured: true, answers: { 200: skipped } }),
      path(byId),
      body(withReason),
      async (c) => {
        const { reason } = c.req.valid("json");
        await skipParked(c.env.relay.db, parseParkedId(c.req.valid("param").id)!, reason, "operator");
        return c.json({ skipped: 1 });
      },
    );
}
