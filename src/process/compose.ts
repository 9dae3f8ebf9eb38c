import { handlers, publishers, readModels, subscriptions, timers } from "../app.ts";
import type { DatabaseUrls, Settings } from "../config.ts";
import { type Database, openDatabase } from "../database/database.ts";
import type { Relay } from "../relay/drain.ts";
import type { Subscription } from "../relay/subscription.ts";
import { createPost } from "./post.ts";

/**
 * What each role's pool may take. Commands gain from many connections, because PostgreSQL flushes their commits together;
 * refreshing a large read model as a whole takes its time. What handlers send goes through connections of their own: they
 * cannot take them from the API.
 */
export const LIMITS = {
  command: { max: 20, deadlineMs: 5_000 },
  handlers: { max: 8, deadlineMs: 5_000 },
  query: { max: 10, deadlineMs: 10_000 },
  // One for every read model that takes long, and some for the rest.
  relay: { max: readModels.length + 4, deadlineMs: 300_000 },
};

/** The parts of the program, put together from the settings. */
export interface Composed {
  databases: { command: Database; query: Database; handlers: Database };
  relay: Relay;
  publishers: Subscription[];
  close(): Promise<void>;
}

/** Puts the program together. Connections are made when they are needed. */
export function compose(settings: Settings, urls: DatabaseUrls, stopping: AbortSignal): Composed {
  const { PUBLISH_TO, PUBLISH_SOURCE, PUBLISH_TO_PRIVATE_ADDRESSES, RELAY_DELAY_MS } = settings;
  const open = (pool: keyof typeof LIMITS, url: string) =>
    openDatabase(url, { ...LIMITS[pool], applicationName: `cqrs ${pool}` });
  const databases = {
    command: open("command", urls.command),
    query: open("query", urls.query),
    handlers: open("handlers", urls.command),
  };
  const publishing = publishers(PUBLISH_TO, PUBLISH_SOURCE, createPost(PUBLISH_TO_PRIVATE_ADDRESSES));
  const relay: Relay = {
    db: open("relay", urls.relay),
    subscriptions: [...subscriptions, ...handlers(databases.handlers), ...publishing],
    timers: timers(databases.handlers),
    delayMs: RELAY_DELAY_MS,
    stopping,
  };
  return {
    databases,
    relay,
    publishers: publishing,
    async close() {
      await Promise.all([...Object.values(databases), relay.db].map((db) => db.destroy()));
    },
  };
}
