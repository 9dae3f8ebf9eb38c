import type { Context, MiddlewareHandler } from "hono";
import { sha256 } from "hono/utils/crypto";
import { TooManyRequests, Unauthorized } from "../errors.ts";
import { getLogger } from "../logging.ts";
import type { Env } from "./env.ts";

/** The wrong tokens that an address may try in a second. */
const TRIES_MAX = 10;

const logger = getLogger("cqrs.http");

/**
 * Lets only the operator pass. Without a token in the settings, nobody is the operator. After ten wrong tokens from an
 * address, no token of the address counts for the rest of the second: guessing stays slow, and the log short.
 * @throws {Unauthorized} If the request does not carry the operator's token.
 * @throws {TooManyRequests} If the address has sent too many wrong tokens.
 */
export function onlyOperator(): MiddlewareHandler<Env> {
  let second = 0;
  /** The wrong tokens by address, in the current second. */
  let wrong = new Map<string, number>();
  return async (c, next) => {
    const token = /^Bearer +([\w.~+/-]+=*)$/i.exec(c.req.header("authorization") ?? "")?.[1];
    if (c.env.opsToken === undefined) throw new Unauthorized("Cannot do that: OPS_TOKEN is not set");
    if (token === undefined) throw new Unauthorized("Cannot do that without the operator's token");
    // Of hashes, the time of a comparison tells nothing.
    const isRight = await sha256(token) === await sha256(c.env.opsToken);
    const address = addressOf(c);
    const now = Math.floor(Date.now() / 1_000);
    if (now !== second) [second, wrong] = [now, new Map()];
    const tries = wrong.get(address) ?? 0;
    if (tries >= TRIES_MAX) {
      throw new TooManyRequests("Cannot do that now: too many wrong tokens were sent");
    }
    if (!isRight) {
      wrong.set(address, tries + 1);
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
