import type { Context } from "hono";
import type { Env } from "./env.ts";

/**
 * Returns true if the request has more than one header of the name, in lower case. Web standards join such headers
 * with a comma. So where the server does not hand on the raw headers, as on edge platforms, the answer is false.
 */
export function isRepeated({ env: { incoming } }: Context<Env>, name: string): boolean {
  const names = incoming?.rawHeaders.filter((text, place) => place % 2 === 0 && text.toLowerCase() === name);
  return names !== undefined && names.length > 1;
}
