import { createRelay, publishers } from "./app.ts";
import type { DatabaseUrls, Settings } from "./config.ts";
import { type Database, type DatabaseOptions, openDatabase } from "./database/database.ts";
import type { Parts } from "./http/env.ts";
import type { Post } from "./publish/publisher.ts";
import type { Subscription } from "./relay/subscription.ts";

type Limits = Pick<DatabaseOptions, "max" | "deadlineMs">;

/** What depends on where the program runs. */
export interface Surroundings {
  /** What each pool may take. What handlers send goes through one of its own: they cannot take the API's. */
  limits: Record<"command" | "handlers" | "query" | "relay", Limits>;
  post: Post;
  stopping?: AbortSignal;
}

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
  const open = (pool: keyof typeof limits, url: string) =>
    openDatabase(url, { ...limits[pool], applicationName: `cqrs ${pool}` });
  const databases = {
    command: open("command", urls.command),
    query: open("query", urls.query),
    handlers: open("handlers", urls.command),
  };
  const publishing = publishers(settings.PUBLISH_TO, settings.PUBLISH_SOURCE, post);
  const relay = createRelay(open("relay", urls.relay), databases.handlers, publishing, {
    delayMs: settings.RELAY_DELAY_MS,
    ...stopping && { stopping },
  });
  return {
    databases,
    relay,
    opsToken: settings.OPS_TOKEN,
    publishers: publishing,
    async close() {
      await Promise.all([...Object.values(databases), relay.db].map((db) => db.destroy()));
    },
  };
}
