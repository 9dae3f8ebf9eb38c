import { getLogger } from "@logtape/logtape";
import { createApp, handlers, publishers, subscriptions, timers } from "../app.ts";
import type { DatabaseUrls, Settings } from "../config.ts";
import { type Database, openDatabase } from "../database/database.ts";
import { isMigrated, NEWEST_MIGRATION } from "../migrate.ts";
import { beginPublishing } from "../publish/begin.ts";
import { runRelay } from "../relay/run.ts";
import { sleep } from "../sleep.ts";
import { pages } from "./pages.ts";
import { createPost } from "./post.ts";
import { serve } from "./serve.ts";

export interface Parts {
  api: boolean;
  relay: boolean;
  /** How long idle connections are kept, and so how long a stop may have to wait for them; seconds when left out. */
  keepAliveMs?: number;
}

export interface Started {
  /** Where the API is; undefined when it is left out. */
  url: string | undefined;
  /** Rejects when the relay must not go on. */
  failed: Promise<never>;
  /** Lets accepted requests finish, then the relay, then the connections. */
  stop(): Promise<void>;
}

/**
 * What each role's pool may take. Commands gain from many connections, because PostgreSQL flushes their commits together;
 * refreshing a large read model as a whole takes its time.
 */
export const LIMITS = {
  command: { max: 20, deadlineMs: 5_000 },
  query: { max: 10, deadlineMs: 10_000 },
  relay: { max: 6, deadlineMs: 300_000 },
};

/** What handlers send goes through connections of their own: they cannot take them from the API. */
const HANDLERS_MAX = 8;

/** How long a stop waits for the relay's last batch. */
const STOP_MS = 10_000;

const logger = getLogger(["cqrs", "process"]);

/** Starts the API, the relay, or both. @throws {Error} If the database cannot be reached or the port is taken. */
export async function start(
  settings: Settings,
  urls: DatabaseUrls,
  host: string,
  parts: Parts,
): Promise<Started> {
  const open = (role: keyof typeof LIMITS) =>
    openDatabase(urls[role], { ...LIMITS[role], applicationName: `cqrs ${role}` });
  const databases = { command: open("command"), query: open("query") };
  const handling = openDatabase(urls.command, {
    ...LIMITS.command,
    max: HANDLERS_MAX,
    applicationName: "cqrs handlers",
  });
  const { PUBLISH_TO, PUBLISH_SOURCE, PUBLISH_TO_PRIVATE_ADDRESSES } = settings;
  const publishing = publishers(PUBLISH_TO, PUBLISH_SOURCE, createPost(PUBLISH_TO_PRIVATE_ADDRESSES));
  const stopping = new AbortController();
  const relay = {
    db: open("relay"),
    subscriptions: [...subscriptions, ...handlers(handling), ...publishing],
    timers: timers(handling),
    delayMs: settings.RELAY_DELAY_MS,
    stopping: stopping.signal,
  };
  const close = () =>
    Promise.all([databases.command, databases.query, handling, relay.db].map((db) => db.destroy()));

  try {
    const used = [
      ...parts.api
        ? [{ db: databases.command, url: urls.command }, { db: databases.query, url: urls.query }]
        : [],
      ...parts.relay ? [{ db: handling, url: urls.command }] : [],
      { db: relay.db, url: urls.relay },
    ];
    const migrated = (await Promise.all(used.map(reach))).every((isReady) => isReady);
    if (migrated) await beginPublishing(relay.db, publishing);
    const app = createApp({ databases, relay, opsToken: settings.OPS_TOKEN, pages: pages() });
    const serving = parts.api ? await serve(app.fetch, host, settings.PORT, parts.keepAliveMs) : undefined;
    const relaying = parts.relay
      ? relayWhenMigrated(
        relay.db,
        migrated,
        async () => {
          await beginPublishing(relay.db, publishing);
          await runRelay(relay, urls.direct, stopping.signal);
        },
        stopping.signal,
      )
      : Promise.resolve();
    return {
      url: serving?.url,
      failed: relaying.then(() => new Promise<never>(() => {})),
      async stop() {
        await serving?.stop();
        stopping.abort();
        await Promise.race([relaying.catch(() => {}), sleep(STOP_MS)]);
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function reach({ db, url }: { db: Database; url: string }): Promise<boolean> {
  try {
    return await isMigrated(db);
  } catch (error) {
    throw new Error(`Cannot reach the database at ${new URL(url).host}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

async function relayWhenMigrated(
  db: Database,
  migrated: boolean,
  run: () => Promise<void>,
  signal: AbortSignal,
) {
  if (!migrated) logger.warn("Waiting for migration {name}: npm run migrate", { name: NEWEST_MIGRATION });
  for (let ready = migrated; !ready && !signal.aborted; ready = await isMigrated(db).catch(() => false)) {
    await sleep(1_000, signal);
  }
  if (!signal.aborted) await run();
}
