import type { MiddlewareHandler } from "hono";
import { Forbidden } from "../errors.ts";
import type { Env } from "../http/env.ts";

const LOCAL = /^(localhost|.+\.localhost|\d+(\.\d+){3}|\[[\da-f:.]+\])$/i;

/**
 * Refuses requests to names that are not the program's, where `names` are given. Otherwise a page of any site could have
 * its own name lead to this machine (DNS rebinding), and a browser behind a firewall carry requests here. Addresses and
 * `localhost` always pass: no name leads there.
 */
export function checkHost(names: string[] | undefined): MiddlewareHandler<Env> {
  const known = new Set(names?.map((name) => name.toLowerCase()));
  return async (c, next) => {
    const name = (c.req.header("host") ?? "localhost").replace(/:\d*$/, "").toLowerCase();
    if (names && !LOCAL.test(name) && !known.has(name)) {
      throw new Forbidden("Cannot answer for this Host: it is not among ALLOWED_HOSTS");
    }
    await next();
  };
}
