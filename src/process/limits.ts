import { readModels } from "../app.ts";
import type { Surroundings } from "../compose.ts";

/**
 * What the pools of a process may take. Commands gain from many connections, because PostgreSQL flushes their commits
 * together; refreshing a large read model as a whole takes its time.
 */
export const LIMITS: Surroundings["limits"] = {
  command: { max: 20, deadlineMs: 5_000 },
  handlers: { max: 8, deadlineMs: 5_000 },
  query: { max: 10, deadlineMs: 10_000 },
  // One for every read model that takes long, and some for the rest.
  relay: { max: readModels.length + 4, deadlineMs: 300_000 },
};
