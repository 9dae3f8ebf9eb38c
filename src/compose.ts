import { createRelay, publishers } from "./app.ts";
import type { DatabaseUrls, Settings } from "./config.ts";
import { type Database, type DatabaseOptions, openDatabase } from "./database/database.ts";
import type { Parts } from "./http/env.ts";
import { isMigrated } from "./migrated.ts";
import type { Post } from "./publish/publisher.ts";
import { createReplica } from "./read/replica.ts";
import type { Subscription } from "./relay/subscription.ts";

type Limits = Pick<DatabaseOptions, "max" | "deadlineMs" | "idleSeconds">;

/** What depends on where the program runs. */
export interface Surroundings {
  /** What each pool may take. What handlers send goes through one of its own: they cannot take the API's. */
  limits: Record<"command" | "handlers" | "query" | "relay", Limits>;
  post: Post;
  stopping?: AbortSignal;
}

/** So short that whoever waits for a sign of life does not wait long. */
const WATCH: Limits = { max: 1, deadlineMs: 1_000 };

/** The parts of the program, put together from the settings. */
export interface Composed extends Parts {
  databases: Parts["databases"] & { handlers: Database };
  publishers: Subscription[];
  close(): Promise<void>;
}

/** Puts the program together. Connections are made when they are needed. */
export function compose(
  settings: Settings,
  urls: DatabaseUrls,
  { limits, post, stopping }: Surroundings,
): Composed {
  const open = (pool: keyof typeof limits, url: string, own: Limits = limits[pool]) =>
    openDatabase(url, { ...own, applicationName: `cqrs ${pool}` });
  const databases = {
    command: open("command", urls.command),
    query: open("query", urls.query),
    handlers: open("handlers", urls.command),
  };
  const replica = urls.replica === undefined || settings.SERVE === "commands" ? undefined : createReplica({
    db: open("query", urls.replica),
    watch: open("query", urls.replica, WATCH),
    fallback: settings.QUERY_FALLBACK,
  }, isMigrated);
  const publishing = publishers(settings.PUBLISH_TO, settings.PUBLISH_SOURCE, post);
  const relay = createRelay(open("relay", urls.relay), databases.handlers, publishing, {
    delayMs: settings.RELAY_DELAY_MS,
    ...stopping && { stopping },
  });
  return {
    databases,
    replica,
    relay,
    opsToken: settings.OPS_TOKEN,
    publishers: publishing,
    async close() {
      const opened = [...Object.values(databases), relay.db, ...replica ? [replica.db, replica.watch] : []];
      await Promise.all(opened.map((db) => db.destroy()));
    },
  };
}
