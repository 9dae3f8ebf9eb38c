import { Hono } from "hono";
import * as z from "zod/mini";
import { drain } from "../relay/drain.ts";
import { withOwnTasks } from "../relay/relay.ts";
import { listListeners } from "../relay/waking/listeners.ts";
import { relayStatus } from "../relay/status.ts";
import type { Env } from "./env.ts";
import { operation } from "./openapi.ts";
import { onlyOperator } from "./operator.ts";
import { parked } from "./parked.ts";
import { checkReady } from "./ready.ts";
import type { Served } from "./served.ts";

const DRAIN_MS = 10_000;

const status = z.object({ status: z.string() });

/** The routes for health checks: the process lives; the process can serve. */
export function health(served: Served) {
  return new Hono<Env>()
    .get(
      "/health",
      operation({ summary: "Whether the process lives", answers: { 200: status } }),
      (c) => c.json({ status: "ok" }),
    )
    .get("/ready", operation({ summary: "Whether it can serve", answers: { 200: status } }), async (c) => {
      await checkReady(c.env, served);
      return c.json({ status: "ready" });
    });
}

const relayShape = z.object({
  lastPosition: z.int(),
  outbox: z.int(),
  subscriptions: z.array(z.object({
    name: z.string(),
    kind: z.string(),
    position: z.int(),
    lag: z.int(),
    lagSeconds: z.number(),
    failing: z.int(),
    parked: z.int(),
    lastError: z.nullable(z.string()),
    failures: z.object({ count: z.int(), last: z.nullable(z.string()) }),
    restsUntil: z.nullable(z.iso.datetime()),
    refreshMs: z.nullable(z.int()),
  })),
  relays: z.array(
    z.object({ id: z.uuid(), listening: z.boolean(), since: z.iso.datetime(), seenAt: z.iso.datetime() }),
  ),
  replica: z.nullable(z.object({
    position: z.nullable(z.int()),
    lag: z.nullable(z.int()),
    lagSeconds: z.nullable(z.number()),
    error: z.nullable(z.string()),
  })),
});
const drained = z.object({ handled: z.int(), more: z.boolean() });

/** The routes of the operator. Without a token in the settings, nobody is the operator. */
export function operations() {
  return new Hono<Env>()
    .use("/ops/*", onlyOperator())
    .get(
      "/ops/relay",
      operation({ summary: "How far the relay has come", secured: true, answers: { 200: relayShape } }),
      async (c) => {
        const { replica, relay: { db, subscriptions } } = c.env;
        return c.json({
          ...await relayStatus(db, subscriptions),
          relays: await listListeners(db),
          replica: await replica?.status() ?? null,
        });
      },
    )
    .post(
      "/ops/relay/drain",
      operation({ summary: "One bounded drain", secured: true, answers: { 200: drained } }),
      async (c) => c.json(await drain(withOwnTasks(c.env.relay), DRAIN_MS)),
    )
    .route("/", parked());
}
