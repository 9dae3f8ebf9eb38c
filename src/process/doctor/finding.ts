import type { Database } from "../../database/database.ts";

/** What a check has found: one line, and what to do about it. Neither ever holds a password. */
export interface Finding {
  level: "ok" | "warning" | "problem";
  what: string;
  advice?: string;
}

export const ROLES = ["command", "query", "relay"] as const;
export type Role = typeof ROLES[number];

/** A role's way to the database, with one connection. */
export interface Login {
  role: Role | "replica" | "direct";
  url: string;
  db: Database;
}

/** A check asks what it needs to know, changes nothing, and answers at least one finding. */
export type Check = (logins: Login[]) => Promise<Finding[]>;

/** Where the URL leads, for people: without its password. */
export function placeOf({ role, url }: Pick<Login, "role" | "url">): string {
  const { host, pathname, username } = new URL(url);
  return `${role} (${decodeURIComponent(username)} at ${host}${pathname})`;
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
