import type { Database } from "../database/database.ts";
import { parseUrl } from "../database/url.ts";

/** A finding of a check: a line and advice, without passwords. */
export interface Finding {
  level: "ok" | "warning" | "problem";
  what: string;
  advice?: string;
}

export const ROLES = ["command", "query", "relay"] as const;
export type Role = typeof ROLES[number];

/** A URL of the settings, and a pool of a single connection. */
export interface Login {
  role: Role | "replica" | "direct";
  url: string;
  db: Database;
}

/** Looks at the database through the logins, changes nothing, and returns the findings. */
export type Check = (logins: Login[]) => Promise<Finding[]>;

/** Returns role, user, host and database of a login as text, without the password. */
export function placeOf({ role, url }: Pick<Login, "role" | "url">): string {
  const { host, port, user, database } = parseUrl(url);
  const address = host.includes(":") ? `[${host}]` : host;
  return `${role} (${user} at ${address}${port && `:${port}`}/${database})`;
}

export function ok(what: string): Finding {
  return { level: "ok", what };
}

export function warning(what: string, advice: string): Finding {
  return { level: "warning", what, advice };
}

export function problem(what: string, advice: string): Finding {
  return { level: "problem", what, advice };
}

/** Returns advice written for the middle of a line as a line of its own. */
export function toSentence(advice: string): string {
  return advice[0]!.toUpperCase() + advice.slice(1);
}
