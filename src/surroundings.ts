import type { DatabaseOptions } from "./database/database.ts";

/** The connection pools. Commands of handlers have their own: the API's connections stay free. */
export type Pool = "command" | "handlers" | "query" | "relay";

export type Limits = Pick<DatabaseOptions, "max" | "deadlineMs" | "idleSeconds">;

/**
 * Posts a text and returns the status, good or bad; does not follow redirects.
 * Rejects without an answer, or when the signal aborts.
 */
export type Post = (
  url: string,
  headers: Record<string, string>,
  body: string,
  signal: AbortSignal,
) => Promise<number>;

/** The platform-dependent parts of the program. */
export interface Surroundings {
  limits: Record<Pool, Limits>;
  /** Returns a function to post. With `refuse`, addresses outside the public internet are refused. */
  createPost(privateAddresses: "allow" | "refuse"): Post;
  stopping?: AbortSignal;
}
