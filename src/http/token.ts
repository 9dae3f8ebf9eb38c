import { decodeBase64Url, encodeBase64Url } from "hono/utils/encode";
import { parse, stringify } from "uuid";
import { InvalidInput } from "../errors.ts";

/** The consistency token for an event: the bytes of its id in base64url, without padding. */
export function toToken(eventId: string): string {
  return encodeBase64Url(parse(eventId).buffer).replaceAll("=", "");
}

/** @throws {InvalidInput} If the token is none of this program's. */
export function fromToken(token: string): string {
  try {
    if (/^[\w-]{22}$/.test(token)) return stringify(decodeBase64Url(token));
  } catch {
    // Not the bytes of a UUID.
  }
  throw new InvalidInput("Cannot read the Consistency-Token: it is not one of ours");
}
