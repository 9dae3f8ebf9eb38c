import { createApp } from "../app.ts";
import { compose } from "../compose.ts";
import type { DatabaseUrls, Settings } from "../config.ts";
import { getLogger } from "../log.ts";
import { isMigrated, NEWEST_MIGRATION } from "../migrated.ts";
import { beginPublishing } from "../publish/begin.ts";
import type { Relay } from "../relay/drain.ts";
import { runRelay } from "../relay/run.ts";
import type { Subscription } from "../relay/subscription.ts";
import { sleep } from "../sleep.ts";
import { LIMITS } from "./limits.ts";
import { pages } from "./pages.ts";
import { createPost } from "./post.ts";
import { reachDatabases } from "./reach.ts";
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

/** How long a stop waits for the relay's last batch. */
const STOP_MS = 10_000;

const logger = getLogger("cqrs.process");

/** Starts the API, the relay, or both. @throws {Error} If the database cannot be reached or the port is taken. */
export async function start(
  settings: Settings,
  urls: DatabaseUrls,
  host: string,
  parts: Parts,
): Promise<Started> {
  const stopping = new AbortController();
  const composed = compose(settings, urls, {
    limits: LIMITS,
    post: createPost(settings.PUBLISH_TO_PRIVATE_ADDRESSES),
    stopping: stopping.signal,
  });
  const { relay, publishers, close } = composed;
  try {
    const migrated = await reachDatabases(composed, urls, settings, parts);
    if (migrated) await beginPublishing(relay.db, publishers);
    const app = createApp({ serve: settings.SERVE, pages: pages() });
    const answer = (request: Request) => app.fetch(request, composed);
    const serving = parts.api ? await serve(answer, host, settings.PORT, parts.keepAliveMs) : undefined;
    const relaying = parts.relay
      ? relayWhenMigrated(relay, publishers, migrated, urls.direct, stopping.signal)
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

async function relayWhenMigrated(
  relay: Relay,
  publishers: Subscription[],
  migrated: boolean,
  directUrl: string,
  signal: AbortSignal,
) {
  if (!migrated) logger.warn("Waiting for migration {name}: npm run migrate", { name: NEWEST_MIGRATION });
  const isReady = async () =>
    await isMigrated(relay.db) && (await beginPublishing(relay.db, publishers), true);
  for (let ready = migrated; !ready && !signal.aborted; ready = await isReady().catch(() => false)) {
    await sleep(1_000, signal);
  }
  if (!signal.aborted) await runRelay(relay, directUrl, signal);
}
