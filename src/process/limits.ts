import type { App } from "../compose.ts";
import type { Surroundings } from "../surroundings.ts";

/**
 * Returns the limits of a process's pools. Commands gain from many connections, because PostgreSQL flushes
 * commits together. Refreshing a large read model as a whole takes minutes: the relay's deadline is long.
 */
export const limitsOf = ({ readModels }: App): Surroundings["limits"] => ({
  command: { max: 20, deadlineMs: 5_000 },
  handlers: { max: 8, deadlineMs: 5_000 },
  query: { max: 10, deadlineMs: 10_000 },
  // A connection for every read model, in case of a long refresh, and four for the rest.
  relay: { max: readModels.length + 4, deadlineMs: 300_000 },
});
