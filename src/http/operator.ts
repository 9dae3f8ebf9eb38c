import type { Context, MiddlewareHandler } from "hono";
import { timingSafeEqual } from "hono/utils/buffer";
import { TooManyRequests, Unauthorized } from "../errors.ts";
import { getLogger } from "../logging.ts";
import type { Env } from "./env.ts";

/** The wrong tokens that an address may try in a second. */
const TRIES_MAX = 10;

const logger = getLogger("cqrs.http");

/**
 * Lets only the operator pass. Without a token in the settings, nobody is the operator. After ten wrong tokens from an
 * address, no token of the address is looked at for the rest of the second: guessing stays slow, and the log short.
 * @throws {Unauthorized} If the request does not carry the operator's token.
 * @throws {TooManyRequests} If the address has sent too many wrong tokens.
 */
export function onlyOperator(): MiddlewareHandler<Env> {
  const wrong = countInSecond();
  return async (c, next) => {
    const token = /^Bearer +([\w.~+/-]+=*)$/i.exec(c.req.header("authorization") ?? "")?.[1];
    if (c.env.opsToken === undefined) throw new Unauthorized("Cannot do that: OPS_TOKEN is not set");
    if (token === undefined) throw new Unauthorized("Cannot do that without the operator's token");
    const address = addressOf(c);
    if (wrong(address, 0) >= TRIES_MAX) {
      throw new TooManyRequests("Cannot do that now: too many wrong tokens were sent");
    }
    if (!await timingSafeEqual(token, c.env.opsToken)) {
      wrong(address, 1);
      logger.warn("Request {requestId}: {address} sent a wrong operator's token to {method} {path}", {
        requestId: c.get("requestId"),
        address,
        method: c.req.method,
        path: c.req.path,
      });
      throw new Unauthorized("Cannot do that without the operator's token");
    }
    await next();
  };
}

/** Returns the address of the other end of the connection, perhaps a proxy's, where the server knows. */
function addressOf({ env: { incoming } }: Context<Env>): string {
  return incoming?.socket.remoteAddress ?? "somebody";
}

/** Returns a function that adds to the count of a name in the current second, and returns the count. */
function countInSecond(): (name: string, more: number) => number {
  let second = 0;
  let counts = new Map<string, number>();
  return (name, more) => {
    const now = Math.floor(Date.now() / 1_000);
    if (now !== second) [second, counts] = [now, new Map()];
    const count = (counts.get(name) ?? 0) + more;
    if (more > 0) counts.set(name, count);
    return count;
  };
}
