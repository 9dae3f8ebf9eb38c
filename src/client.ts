import { hc } from "hono/client";
import type { Routes } from "./compose.ts";

/** A client that knows every route: its input, and what it answers. */
export function createClient(url: string) {
  return hc<Routes>(url);
}
