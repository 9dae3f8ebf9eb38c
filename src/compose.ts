import { Hono } from "hono";
import { commands, handlers, info, publishers, queries, readModels, timers } from "./app.ts";
import type { DatabaseUrls, Settings } from "./config.ts";
import { type Database, type DatabaseOptions, openDatabase } from "./database/database.ts";
import type { Env, Resources } from "./http/env.ts";
import { health, operations } from "./http/operations.ts";
import { serveApi } from "./http/serve-api.ts";
import { elsewhere, type Served } from "./http/served.ts";
import { isMigrated } from "./migrated.ts";
import type { Post } from "./publish/publisher.ts";
import { subscribeReadModel } from "./read/read-model.ts";
import { createReplica } from "./read/replica.ts";
import { createRelay } from "./relay/drain.ts";
import { subscribeHandler } from "./relay/handlers/subscribe-handler.ts";
import type { Subscription } from "./relay/subscription.ts";

/** Commands, queries or both, and the routes of every process for operators. */
function routes(serve: Served) {
  return new Hono<Env>()
    .route("/", serve === "queries" ? elsewhere(commands(), serve) : commands())
    .route("/", serve === "commands" ? elsewhere(queries(), serve) : queries())
    .route("/", health(serve))
    .route("/", operations());
}

/** The routes with their types, for a typed client: `hc<Routes>(url)`. */
export type Routes = ReturnType<typeof routes>;

export interface AppOptions {
  serve?: Served;
  /** Pages of some runtimes only, for example `/docs`. */
  pages?: Hono<Env>;
}

/** Returns the program's HTTP side. Each request is given the resources to work with. */
export function createApp({ serve = "all", pages = new Hono() }: AppOptions = {}): Hono<Env> {
  return serveApi(routes(serve), info, pages);
}

/** The subscriptions of the read models. */
export const readModelSubscriptions: Subscription[] = readModels.map(subscribeReadModel);

type Limits = Pick<DatabaseOptions, "max" | "deadlineMs" | "idleSeconds">;

/** The platform-dependent parts of the program. */
export interface Surroundings {
  /** Limits of each pool. Commands of handlers have a pool of their own: the API's connections stay free. */
  limits: Record<"command" | "handlers" | "query" | "relay", Limits>;
  post: Post;
  stopping?: AbortSignal;
}

/** Short limits: a request must not wait long for the replica's sign of life. */
const WATCH: Limits = { max: 1, deadlineMs: 1_000 };

/** The parts of the program, put together from the settings. */
export interface Composed extends Resources {
  databases: Resources["databases"] & { handlers: Database };
  publishers: Subscription[];
  close(): Promise<void>;
}

/** Puts the program together. Connections are made on demand. */
export function compose(
  settings: Settings,
  urls: DatabaseUrls,
  { limits, post, stopping }: Surroundings,
): Composed {
  const open = (pool: keyof typeof limits, url: string, own: Limits = limits[pool]) =>
    openDatabase(url, { ...own, applicationName: `cqrs ${pool}` });
  const databases = {
    commands: open("command", urls.command),
    queries: open("query", urls.query),
    handlers: open("handlers", urls.command),
  };
  const replica = urls.replica === undefined || settings.SERVE === "commands" ? undefined : createReplica({
    db: open("query", urls.replica),
    watch: open("query", urls.replica, WATCH),
    fallback: settings.QUERY_FALLBACK,
  }, isMigrated);
  const publishing = publishers(settings.PUBLISH_TO, settings.PUBLISH_SOURCE, post).map(subscribeHandler);
  const handling = handlers(databases.handlers).map(subscribeHandler);
  const relay = createRelay({
    db: open("relay", urls.relay),
    subscriptions: [...readModelSubscriptions, ...handling, ...publishing],
    timers: timers(databases.handlers),
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
