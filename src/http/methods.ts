import type { Hono } from "hono";
import { MethodNotAllowed } from "../errors.ts";
import type { Env } from "./env.ts";

/**
 * Answers the methods that a path does not have (RFC 9110): 405 with `Allow`, and 204 to OPTIONS. Takes a complete app:
 * the routes added here come last. Smaller than Hono's own middleware, whose router is a second router.
 */
export function refuseOtherMethods(app: Hono<Env>): Hono<Env> {
  const methods = new Map<string, Set<string>>();
  for (const { method, path } of app.routes) {
    if (method === "ALL") continue;
    const known = methods.get(path) ?? new Set(["OPTIONS"]);
    methods.set(path, known.add(method));
    if (method === "GET") known.add("HEAD");
  }
  for (const [path, known] of methods) {
    app.all(path, (c) => {
      c.header("Allow", [...known].toSorted().join(", "));
      if (c.req.method === "OPTIONS") return c.body(null, 204);
      throw new MethodNotAllowed(`Cannot ${c.req.method} ${c.req.path}: choose one of the methods in Allow`);
    });
  }
  return app;
}
