import type { IncomingMessage } from "node:http";
import { type App, compose, type Composed, createHttp, httpOptions } from "../compose.ts";
import type { DatabaseUrls, Settings } from "../config.ts";
import { getLogger } from "../logging.ts";
import { isMigrated, nameAll } from "../migrated.ts";
import { runRelay } from "../relay/waking/run.ts";
import { sleep } from "../sleep.ts";
import { checkHost } from "./hosts.ts";
import { limitsOf } from "./limits.ts";
import { pages } from "./pages.ts";
import { createPost } from "./post.ts";
import { reachDatabases } from "./reach.ts";
import { type ConnectionLimits, serve } from "./serve.ts";

export interface StartOptions {
  api: boolean;
  relay: boolean;
  /** A stop waits for idle connections as long as they are kept alive. */
  limits?: ConnectionLimits;
  /** The names of the program in `Host`; undefined where every name will do. */
  hosts?: string[] | undefined;
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
    createPost,
    stopping: stopping.signal,
  });
  const { begin, close } = composed;
  try {
    const missing = await reachDatabases(composed, urls, settings, options);
    if (missing.length === 0) await begin?.();
    const http = createHttp(app, { ...httpOptions(settings, pages), guards: [checkHost(options.hosts)] });
    const answer = (request: Request, incoming: IncomingMessage) =>
      http.fetch(request, { ...composed, incoming });
    const serving = options.api ? await serve(answer, host, settings.PORT, options.limits) : undefined;
    const relaying = options.relay
      ? relayWhenMigrated(composed, missing, urls.direct, stopping.signal)
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
  { relay, begin }: Composed,
  missing: string[],
  directUrl: string,
  signal: AbortSignal,
) {
  if (missing.length > 0) {
    logger.warn("Waiting for {missing}: npm run migrate", { missing: nameAll(missing) });
  }
  const isReady = async () => await isMigrated(relay.db) && (await begin?.(), true);
  for (
    let ready = missing.length === 0;
    !ready && !signal.aborted;
    ready = await isReady().catch(() => false)
  ) {
    await sleep(1_000, signal);
  }
  if (!signal.aborted) await runRelay(relay, directUrl, signal);
}
