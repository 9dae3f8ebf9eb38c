import type { Context } from "hono";
import { BodyTooLarge, InvalidInput } from "../errors.ts";
import { getLogger } from "../logging.ts";
import type { Env } from "./env.ts";

const logger = getLogger("cqrs.http");

/**
 * Reads a body. A client that hangs up meanwhile is no fault of the server: a line at level debug.
 * @throws {InvalidInput} If the client has gone. Nobody is left to read the answer.
 */
export async function whileSending<T>(c: Context<Env>, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof BodyTooLarge) throw error;
    const { message } = error as Error;
    logger.debug("Request {requestId}: the client has gone: {message}", {
      requestId: c.get("requestId"),
      message,
    });
    throw new InvalidInput("Cannot read the body: it has no end");
  }
}
