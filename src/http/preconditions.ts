import type { Context } from "hono";
import { InvalidInput } from "../errors.ts";
import type { Env } from "./env.ts";

/** Returns the version in `If-Match`. Without the header, or with `*`, any version will do: undefined. */
export function ifMatchOf(c: Context<Env>): number | undefined {
  const header = c.req.header("if-match")?.trim();
  if (header === undefined || header === "*") return undefined;
  const version = /^"(\d{1,9})"$/.exec(header)?.[1];
  if (version === undefined) {
    throw new InvalidInput(`Cannot accept If-Match: it is one version in quotes, such as "3"`);
  }
  return Number(version);
}

/** Returns the required state of a plain row: a version, any version, none, or undefined where all will do. */
export function requiredOf(c: Context<Env>): number | "any" | "none" | undefined {
  const [match, noneMatch] = [c.req.header("if-match"), c.req.header("if-none-match")];
  if (noneMatch === undefined) return ifMatchOf(c) ?? (match === undefined ? undefined : "any");
  if (match === undefined && noneMatch.trim() === "*") return "none";
  throw new InvalidInput("Cannot accept If-None-Match: to change something it is *, and without If-Match");
}

/** Returns true if the client has the version already, by `If-None-Match`. */
export function isKnown(c: Context<Env>, version: number): boolean {
  const known = (c.req.header("if-none-match") ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return known.includes("*") || known.includes(`"${version}"`);
}
