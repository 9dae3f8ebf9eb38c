import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import * as errors from "../errors.ts";
import { getLogger } from "../logging.ts";
import type { Env } from "./env.ts";

/** The status code of each kind of error. Any other error is a bug: 500. */
const STATUS = new Map<unknown, ContentfulStatusCode>([
  [errors.InvalidInput, 400],
  [errors.Unauthorized, 401],
  [errors.Forbidden, 403],
  [errors.NotFound, 404],
  [errors.MethodNotAllowed, 405],
  [errors.CommandInProgress, 409],
  [errors.VersionConflict, 409],
  [errors.StillInUse, 409],
  [errors.NoLongerParked, 409],
  [errors.VersionMismatch, 412],
  [errors.BodyTooLarge, 413],
  [errors.UnsupportedMediaType, 415],
  [errors.CommandRejected, 422],
  [errors.IdempotencyKeyReused, 422],
  [errors.TooManyRequests, 429],
  [errors.CheckpointBeyondLog, 503],
  [errors.DatabaseUnavailable, 503],
  [errors.EventParked, 503],
  [errors.ReadModelBehind, 503],
  [errors.TryAgain, 503],
]);

const TITLES: Record<number, string> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  412: "Precondition Failed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

const RETRY_AFTER_SECONDS = "1";

const logger = getLogger("cqrs.http");

/** Answers with RFC 9457 problem details. A bug is logged, and the answer tells only the request's id. */
export function toProblem(thrown: Error, c: Context<Env>): Response {
  const error = translate(thrown);
  const status = STATUS.get(error.constructor);
  const requestId = c.get("requestId");
  if (status === undefined) {
    logger.error("Request {requestId} failed: {error}", { requestId, error: describe(thrown) });
    return respond(c, 500, {
      code: "internal-error",
      detail: `Something went wrong; the log has it under ${requestId}`,
    });
  }
  if (status === 401) c.header("WWW-Authenticate", "Bearer");
  if (status === 429 || status === 503) c.header("Retry-After", RETRY_AFTER_SECONDS);
  if (status === 503) {
    logger.warn("Request {requestId}: {error}", { requestId, error: error.message });
  }
  return respond(c, status, {
    code: "code" in error ? String(error.code) : "error",
    detail: error.message,
    ...error instanceof errors.InvalidInput && error.problems.length > 0 && { errors: error.problems },
  });
}

function respond(
  c: Context<Env>,
  status: ContentfulStatusCode,
  problem: { code: string; detail: string },
): Response {
  const instance = `urn:request:${c.get("requestId")}`;
  const body = { type: "about:blank", title: TITLES[status], status, ...problem, instance };
  return c.body(JSON.stringify(body), status, { "Content-Type": "application/problem+json" });
}

/** Turns an error of a library into an error of this program. */
function translate(error: Error): Error {
  // Messages of the driver may name hosts.
  if (errors.isUnavailable(error) && !(error instanceof errors.DatabaseUnavailable && !error.cause)) {
    return new errors.DatabaseUnavailable("Cannot reach the database", { cause: error });
  }
  if (errors.isGivenUp(error)) {
    return new errors.TryAgain("Cannot do that now: others were in the way", { cause: error });
  }
  return error;
}

/** Returns the text for the log, without the statement and the values in an error of the driver. */
function describe(error: Error): string {
  return errors.isDatabaseError(error) ? `${error.code}: ${error.message}` : error.stack ?? error.message;
}
