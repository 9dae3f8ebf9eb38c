import { InvalidInput } from "../errors.ts";

/** The consistency token for an event: its id, in base64url without the dashes. */
export function toToken(eventId: string): string {
  const bytes = eventId.replaceAll("-", "").match(/../g)!.map((hex) => parseInt(hex, 16));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @throws {InvalidInput} If it is not a token of ours. */
export function fromToken(token: string): string {
  if (!/^[\w-]{22}$/.test(token)) {
    throw new InvalidInput("Cannot read the Consistency-Token: it is not one of ours");
  }
  const bytes = atob(token.replaceAll("-", "+").replaceAll("_", "/"));
  const hex = Array.from(bytes, (byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
