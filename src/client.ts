import { hc } from "hono/client";
import type { Routes } from "./compose.ts";

/** Returns a client with the types of every route: input and answer. */
export function createClient(url: string) {
  return hc<Routes>(url);
}
