import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { BodyTooLarge } from "../errors.ts";

/**
 * Refuses a body of more than `bytesMax`. A declared length is believed, because HTTP servers cut off a
 * longer body. Only a body without a declared length is counted: the server builds a web stream, a third of
 * the CPU of a command.
 * @throws {BodyTooLarge} If the body is larger.
 */
export function limitBody(bytesMax: number): MiddlewareHandler {
  const refuse = () => {
    throw new BodyTooLarge(`Cannot read the body: it is larger than ${bytesMax} bytes`);
  };
  const count = bodyLimit({ maxSize: bytesMax, onError: refuse });
  return async (c, next) => {
    if (c.req.method === "GET" || c.req.method === "HEAD") return await next();
    const length = c.req.header("content-length");
    if (length === undefined || c.req.header("transfer-encoding") !== undefined) return await count(c, next);
    if (Number(length) > bytesMax) refuse();
    await next();
  };
}
