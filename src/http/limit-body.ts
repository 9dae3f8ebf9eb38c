import type { Context, MiddlewareHandler } from "hono";
import { BodyTooLarge } from "../errors.ts";
import { whileSending } from "./client-gone.ts";
import type { Env } from "./env.ts";

/**
 * Refuses a body of more than `bytesMax`. A declared length is believed, because HTTP servers cut off a
 * longer body. Only a body without a declared length is counted: the server builds a web stream, a third of
 * the CPU of a command. Hono's own middleware cannot tell a client that has gone from a bug.
 * @throws {BodyTooLarge} If the body is larger.
 */
export function limitBody(bytesMax: number): MiddlewareHandler<Env> {
  return async (c, next) => {
    if (c.req.method === "GET" || c.req.method === "HEAD") return await next();
    const length = c.req.header("content-length");
    if (length === undefined || c.req.header("transfer-encoding") !== undefined) {
      await whileSending(c, () => hold(c, bytesMax));
    } else if (Number(length) > bytesMax) refuse(bytesMax);
    await next();
  };
}

/** Reads the body into memory, from where the routes read. */
async function hold(c: Context<Env>, bytesMax: number): Promise<void> {
  const reader = c.req.raw.body?.getReader();
  if (!reader) return;
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    chunks.push(read.value);
    if ((bytes += read.value.length) > bytesMax) refuse(bytesMax);
  }
  c.req.raw = new Request(c.req.raw, { body: new Blob(chunks) });
}

function refuse(bytesMax: number): never {
  throw new BodyTooLarge(`Cannot read the body: it is larger than ${bytesMax} bytes`);
}
