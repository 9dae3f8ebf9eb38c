import type { Context } from "hono";
import * as z from "zod/mini";
import type { Database } from "../database/database.ts";
import type { Consistency, Fresh } from "../read/ask.ts";
import type { Env } from "./env.ts";
import { type Description, operation } from "./openapi.ts";
import { fromToken } from "./token.ts";

const WAIT_SECONDS = 2;
const WAIT_SECONDS_MAX = 30;

/** The query string of a query by id: only a query by id can be strong and cheap. */
export const byIdQuery = z.strictObject({ consistency: z.optional(z.enum(["eventual", "strong"])) });

/** Describes the operation of a query. */
export function queryOperation(summary: string, shape: z.ZodMiniType) {
  const description: Description = {
    summary,
    headers: ["Consistency-Token", "Prefer"],
    answers: { 200: shape },
  };
  return operation(description);
}

/**
 * Returns the freshness that the request wants: strong, at least as fresh as the token, or eventual.
 * @throws {InvalidInput} If the token is malformed.
 */
export function consistencyOf(c: Context<Env>, asked?: "eventual" | "strong"): Consistency {
  const token = c.req.header("consistency-token");
  const eventId = token === undefined ? undefined : fromToken(token);
  if (asked === "strong") return { level: "strong" };
  if (eventId === undefined) return { level: "eventual" };
  return { level: "token", eventId, waitMs: waitSecondsOf(c.req.header("prefer")) * 1000 };
}

/** Returns the seconds of `Prefer: wait=N` (RFC 7240). */
function waitSecondsOf(prefer: string | undefined): number {
  const wait = /(?:^|,)\s*wait\s*=\s*"?(\d+)"?\s*(?:[,;]|$)/i.exec(prefer ?? "")?.[1];
  return wait === undefined ? WAIT_SECONDS : Math.min(Number(wait), WAIT_SECONDS_MAX);
}

/** Returns rows, from any replica unless the level is strong. The headers say how fresh the rows are. */
export async function rowsOf<Row>(
  c: Context<Env>,
  consistency: Consistency,
  ask: (db: Database) => Promise<Fresh<Row>>,
): Promise<Row[]> {
  const { databases: { queries }, replica } = c.env;
  const { rows, position, asOf } = replica && consistency.level !== "strong"
    ? await replica.ask(ask)
    : await ask(queries);
  c.header("Consistency", consistency.level);
  c.header("As-Of-Position", String(position));
  c.header("As-Of", asOf.toISOString());
  return rows;
}
