import { type App, compose, createHttp } from "../compose.ts";
import type { DatabaseUrls, Settings } from "../config.ts";
import { getLogger } from "../logging.ts";
import { isMigrated, nameAll } from "../migrated.ts";
import { beginPublishing } from "../publish/begin.ts";
import type { Relay } from "../relay/drain.ts";
import { runRelay } from "../relay/waking/run.ts";
import type { Subscription } from "../relay/subscription.ts";
import { sleep } from "../sleep.ts";
import { limitsOf } from "./limits.ts";
import { pages } from "./pages.ts";
import { createPost } from "./post.ts";
import { reachDatabases } from "./reach.ts";
import { serve } from "./serve.ts";

export interface StartOptions {
  api: boolean;
  relay: boolean;
  /**
   * The time before an idle connection is closed, and thus the longest wait of a stop for idle connections.
   * Five seconds when left out.
   */
  keepAliveMs?: number;
}

export interface Started {
  /** The URL of the API; undefined without the API. */
  url: string | undefined;
  /** Rejects when the relay must not go on. */
  failed: Promise<never>;
  /** Lets accepted requests finish, afterwards stops the relay, and at last closes the connections. */
  stop(): Promise<void>;
}

/** The longest wait of a stop for the relay's last batch. */
const STOP_MS = 10_000;

const logger = getLogger("cqrs.process");

/** Starts the API, the relay, or both. @throws {Error} If the database is away or the port is taken. */
export async function start(
  app: App,
  settings: Settings,
  urls: DatabaseUrls,
  host: string,
  options: StartOptions,
): Promise<Started> {
  const stopping = new AbortController();
  const composed = compose(app, settings, urls, {
    limits: limitsOf(app),
    post: createPost(settings.PUBLISH_TO_PRIVATE_ADDRESSES),
    stopping: stopping.signal,
  });
  const { relay, publishers, close } = composed;
  try {
    const missing = await reachDatabases(composed, urls, settings, options);
    if (missing.length === 0) await beginPublishing(relay.db, publishers);
    const http = createHttp(app, { serve: settings.SERVE, pages: pages() });
    const answer = (request: Request) => http.fetch(request, composed);
    const serving = options.api ? await serve(answer, host, settings.PORT, options.keepAliveMs) : undefined;
    const relaying = options.relay
      ? relayWhenMigrated(relay, publishers, missing, urls.direct, stopping.signal)
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
  missing: string[],
  directUrl: string,
  signal: AbortSignal,
) {
  if (missing.length > 0) {
    logger.warn("Waiting for {missing}: npm run migrate", { missing: nameAll(missing) });
  }
  const isReady = async () =>
    await isMigrated(relay.db) && (await beginPublishing(relay.db, publishers), true);
  for (
    let ready = missing.length === 0;
    !ready && !signal.aborted;
    ready = await isReady().catch(() => false)
  ) {
    await sleep(1_000, signal);
  }
  if (!signal.aborted) await runRelay(relay, directUrl, signal);
}
