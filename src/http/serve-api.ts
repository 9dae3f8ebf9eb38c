import { Hono } from "hono";
import { requestId } from "hono/request-id";
import { NotFound } from "../errors.ts";
import { getLogger } from "../logging.ts";
import type { Env } from "./env.ts";
import { limitBody } from "./limit-body.ts";
import { openApi } from "./openapi.ts";
import { toProblem } from "./problem.ts";

const BODY_BYTES_MAX = 256 * 1024;

const logger = getLogger("cqrs.http");

/**
 * Gives every request an id, a line in the log, a bounded body, and problem details for every error. Adds
 * `/openapi.json`, the description of the routes.
 */
export function serveApi(
  api: Hono<Env>,
  info: { title: string; version: string; description: string },
  pages: Hono<Env>,
): Hono<Env> {
  let document: ReturnType<typeof openApi> | undefined;
  return new Hono<Env>()
    .use(requestId(), async (c, next) => {
      const startedAt = performance.now();
      c.set("caller", "anonymous");
      await next();
      logger.info("{method} {path} {status} in {ms} ms", {
        method: c.req.method,
        path: c.req.path,
        status: c.res.status,
        ms: Math.round(performance.now() - startedAt),
        requestId: c.get("requestId"),
      });
    })
    .use(limitBody(BODY_BYTES_MAX))
    .get("/openapi.json", (c) => c.json(document ??= openApi(api, info)))
    .route("/", pages)
    .route("/", api)
    .notFound((c) => toProblem(new NotFound(`Cannot find ${c.req.method} ${c.req.path}`), c))
    .onError(toProblem);
}
