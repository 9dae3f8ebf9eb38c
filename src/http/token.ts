import { decodeBase64Url, encodeBase64Url } from "hono/utils/encode";
import { parse, stringify } from "uuid";
import { InvalidInput } from "../errors.ts";

/** Returns the consistency token for an event: the bytes of the id in base64url, without padding. */
export function toToken(eventId: string): string {
  return encodeBase64Url(parse(eventId).buffer).replaceAll("=", "");
}

/** Returns the id of the token's event. @throws {InvalidInput} If the token holds no UUID. */
export function fromToken(token: string): string {
  try {
    if (/^[\w-]{22}$/.test(token)) return stringify(decodeBase64Url(token));
  } catch {
    // Not the bytes of a UUID.
  }
  throw new InvalidInput("Cannot read the Consistency-Token: it is not one of ours");
}
