import type { Context } from "hono";
import { InvalidInput, UnsupportedMediaType } from "../errors.ts";
import { whileSending } from "./client-gone.ts";
import type { Env } from "./env.ts";

const JSON_TYPE = /^application\/([\w.+-]+\+)?json *(;|$)/i;
const CHARSET = /; *charset *= *"?([^\s";]*)/ig;

/**
 * Reads the text of a JSON body. Without a body and a content type: undefined.
 * @throws {UnsupportedMediaType} If the body is not declared as JSON in UTF-8, or is compressed.
 * @throws {InvalidInput} If the bytes are not UTF-8, or the client has gone before the end.
 */
export async function readText(c: Context<Env>): Promise<string | undefined> {
  const type = c.req.header("content-type");
  const encoding = c.req.header("content-encoding") || "identity";
  if (encoding.toLowerCase() !== "identity") {
    c.header("Accept-Encoding", "identity");
    throw new UnsupportedMediaType(`Cannot read the body: Content-Encoding is ${encoding}, not identity`);
  }
  const bytes = await whileSending(c, () => c.req.arrayBuffer());
  if (type === undefined && bytes.byteLength === 0) return undefined;
  if (type === undefined || !JSON_TYPE.test(type)) {
    c.header("Accept", "application/json");
    throw new UnsupportedMediaType(
      `Cannot read the body: Content-Type is ${type ?? "missing"}, not application/json`,
    );
  }
  for (const [, charset] of type.matchAll(CHARSET)) {
    if (/^utf-?8$/i.test(charset!)) continue;
    throw new UnsupportedMediaType(`Cannot read the body: its charset is ${charset}, not utf-8`);
  }
  return decode(bytes);
}

/** Returns the text without the byte order mark. */
function decode(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new InvalidInput("Cannot read the body: it is not UTF-8");
  }
}
