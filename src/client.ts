import type { Hono } from "hono";
import { hc } from "hono/client";
import type { ExtractSchema } from "hono/types";
import type { app } from "./app.ts";
import type { Env } from "./http/env.ts";
import type { health, operations } from "./http/operations.ts";

type Part = typeof app.commands | typeof app.queries | typeof health | typeof operations;

/** Returns a client with the types of every route: input and answer. */
export function createClient(url: string) {
  return hc<Hono<Env, ExtractSchema<ReturnType<Part>>>>(url);
}
