import { Hono, type MiddlewareHandler } from "hono";
import { NotFound } from "../errors.ts";
import { getLogger } from "../logging.ts";
import type { Env } from "./env.ts";
import { limitBody } from "./limit-body.ts";
import { refuseOtherMethods } from "./methods.ts";
import { openApi } from "./openapi.ts";
import { toProblem } from "./problem.ts";
import { secureHeaders } from "./secure-headers.ts";

export interface ServeOptions {
  /** Pages of some runtimes only, for example `/docs`. */
  pages?: Hono<Env>;
  /** Checks of every request, before anything else. */
  guards?: MiddlewareHandler<Env>[];
  /** The largest body, in bytes. */
  bodyBytesMax?: number;
  /** True when every request comes through a proxy of the owner's, who sets `X-Request-Id`. */
  trustsProxy?: boolean;
}

export const BODY_BYTES_MAX = 64 * 1024;
const GIVEN_ID_LENGTH_MAX = 255;
const REQUEST_ID = /^[\w=-]{1,255}$/;

const logger = getLogger("cqrs.http");

/**
 * Gives every request an id, a line in the log, a bounded body, and problem details for every error. Adds
 * `/openapi.json`, the description of the routes.
 */
export function serveApi(
  api: Hono<Env>,
  info: { title: string; version: string; description: string },
  { pages = new Hono(), guards = [], bodyBytesMax = BODY_BYTES_MAX, trustsProxy = false }: ServeOptions,
): Hono<Env> {
  let document: ReturnType<typeof openApi> | undefined;
  const served = new Hono<Env>()
    .use(identify(trustsProxy), secureHeaders, ...guards, limitBody(bodyBytesMax))
    .get("/openapi.json", (c) => c.json(document ??= openApi(api, info)))
    .route("/", pages)
    .route("/", api)
    .notFound((c) => toProblem(new NotFound(`Cannot find ${c.req.method} ${c.req.path}`), c))
    .onError(toProblem);
  return refuseOtherMethods(served);
}

/** Gives a request its id, and a line in the log. Hono's own middleware takes the id of anybody. */
function identify(trustsProxy: boolean): MiddlewareHandler<Env> {
  return async (c, next) => {
    const startedAt = performance.now();
    const given = c.req.header("x-request-id") ?? "";
    const requestId = trustsProxy && REQUEST_ID.test(given) ? given : crypto.randomUUID();
    c.set("requestId", requestId);
    c.header("X-Request-Id", requestId);
    c.set("caller", "anonymous");
    await next();
    logger.info("{method} {path} {status} in {ms} ms", {
      method: c.req.method,
      path: c.req.path,
      status: c.res.status,
      ms: Math.round(performance.now() - startedAt),
      requestId,
      ...given !== "" && given !== requestId && { givenRequestId: given.slice(0, GIVEN_ID_LENGTH_MAX) },
    });
  };
}
