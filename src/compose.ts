import { Hono } from "hono";
import type { DatabaseUrls, Settings } from "./config.ts";
import { type Database, type DatabaseOptions, openDatabase } from "./database/database.ts";
import type { Env, Resources } from "./http/env.ts";
import { health, operations } from "./http/operations.ts";
import { serveApi } from "./http/serve-api.ts";
import { elsewhere, type Served } from "./http/served.ts";
import { isMigrated } from "./migrated.ts";
import type { Endpoint } from "./publish/endpoint.ts";
import type { Post } from "./publish/publisher.ts";
import { type ReadModel, subscribeReadModel } from "./read/read-model.ts";
import { createReplica } from "./read/replica.ts";
import { createRelay } from "./relay/drain.ts";
import type { Handler } from "./relay/handlers/handler.ts";
import { subscribeHandler } from "./relay/handlers/subscribe-handler.ts";
import type { Timer } from "./relay/handlers/timer.ts";
import type { Subscription } from "./relay/subscription.ts";

/** The parts of the program that differ from one application to another: see `src/app.ts`. */
export interface App {
  info: { title: string; version: string; description: string };
  commands(): Hono<Env>;
  queries(): Hono<Env>;
  readModels: ReadModel[];
  handlers(db: Database): Handler[];
  publishers(endpoints: Endpoint[], source: string, post: Post): Handler[];
  timers(db: Database): Timer[];
}

export interface HttpOptions {
  serve?: Served;
  /** Pages of some runtimes only, for example `/docs`. */
  pages?: Hono<Env>;
}

/** Returns the program's HTTP side. Each request is given the resources to work with. */
export function createHttp(app: App, { serve = "all", pages = new Hono() }: HttpOptions = {}): Hono<Env> {
  const [commands, queries] = [app.commands(), app.queries()];
  const api = new Hono<Env>()
    .route("/", serve === "queries" ? elsewhere(commands, serve) : commands)
    .route("/", serve === "commands" ? elsewhere(queries, serve) : queries)
    .route("/", health(serve))
    .route("/", operations());
  return serveApi(api, app.info, pages);
}

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
  app: App,
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
  const publishing = app.publishers(settings.PUBLISH_TO, settings.PUBLISH_SOURCE, post).map(subscribeHandler);
  const handling = app.handlers(databases.handlers).map(subscribeHandler);
  const relay = createRelay({
    db: open("relay", urls.relay),
    subscriptions: [...app.readModels.map(subscribeReadModel), ...handling, ...publishing],
    timers: app.timers(databases.handlers),
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
