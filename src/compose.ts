import { Hono } from "hono";
import type * as z from "zod/mini";
import { type DatabaseUrls, parseSettings, type Settings } from "./config.ts";
import { type Database, openDatabase } from "./database/database.ts";
import type { Env, Resources } from "./http/env.ts";
import { health, operations } from "./http/operations.ts";
import { serveApi, type ServeOptions } from "./http/serve-api.ts";
import { elsewhere, type Served } from "./http/served.ts";
import { type ReadModel, subscribeReadModel } from "./read/read-model.ts";
import { createRelay } from "./relay/relay.ts";
import type { Handler } from "./relay/handlers/handler.ts";
import { subscribeHandler } from "./relay/handlers/subscribe-handler.ts";
import type { Timer } from "./relay/handlers/timer.ts";
import type { House, Room } from "./room.ts";
import * as rooms from "./rooms.ts";
import type { Surroundings } from "./surroundings.ts";
import { shareTurns } from "./write/turns.ts";

/** The optional parts of the program. */
const optional: Room[] = Object.values(rooms);

/**
 * Reads the settings of the program, of its rooms, of the application and of the schemas in `more` from environment
 * variables.
 * @throws {InvalidSettings} If any setting is wrong.
 */
export function readSettings(
  variables: Record<string, string | undefined>,
  app?: Pick<App, "settings">,
  more: z.ZodMiniType<object>[] = [],
): Settings {
  const own = app?.settings ? [app.settings] : [];
  return parseSettings(variables, [...optional.map(({ settings }) => settings), ...own, ...more]);
}

/** The parts of the program that differ from one application to another: see `src/app.ts`. */
export interface App {
  info: { title: string; version: string; description: string };
  commands(): Hono<Env>;
  queries(): Hono<Env>;
  readModels: ReadModel[];
  handlers(db: Database, settings?: Settings): Handler[];
  timers(db: Database, settings?: Settings): Timer[];
  /** The settings of the application, besides those of the program. */
  settings?: z.ZodMiniType<object>;
}

export interface HttpOptions extends ServeOptions {
  serve?: Served;
}

/** Returns the options of the HTTP side that are settings. The pages are missing with `DOCS=off`. */
export function httpOptions(settings: Settings, pages: () => Hono<Env>): HttpOptions {
  return {
    serve: settings.SERVE,
    bodyBytesMax: settings.BODY_BYTES_MAX,
    trustsProxy: settings.TRUST_PROXY === "on",
    ...settings.DOCS === "on" && { pages: pages() },
  };
}

/** Returns the program's HTTP side. Each request is given the resources to work with. */
export function createHttp(app: App, { serve = "all", ...options }: HttpOptions = {}): Hono<Env> {
  const [commands, queries] = [app.commands(), app.queries()];
  const api = new Hono<Env>()
    .route("/", serve === "queries" ? elsewhere(commands, serve) : commands)
    .route("/", serve === "commands" ? elsewhere(queries, serve) : queries)
    .route("/", health(serve))
    .route("/", operations());
  return serveApi(api, app.info, options);
}

/** The parts of the program, put together from the settings. */
export interface Composed extends Resources {
  databases: Resources["databases"] & { handlers: Database };
  /** The work of rooms before relaying, on a migrated database; missing where no room has any. */
  begin?: (() => Promise<void>) | undefined;
  close(): Promise<void>;
}

/** Puts the program together from settings of `readSettings`. Connections are made on demand. */
export function compose(
  app: App,
  settings: Settings,
  urls: DatabaseUrls,
  { limits, createPost, stopping }: Surroundings,
): Composed {
  const opened: Database[] = [];
  const openPool: House["openPool"] = (pool, url, own = limits[pool]) => {
    const db = openDatabase(url, { ...own, applicationName: `cqrs ${pool}` });
    opened.push(db);
    return db;
  };
  const databases = {
    commands: openPool("command", urls.command),
    queries: openPool("query", urls.query),
    handlers: openPool("handlers", urls.command),
    relay: openPool("relay", urls.relay),
  };
  shareTurns(databases.commands, databases.handlers);
  const house: House = { urls, databases, openPool, createPost };
  const additions = optional.map((room) => room.open(settings, house));
  const handlers = [
    ...app.handlers(databases.handlers, settings),
    ...additions.flatMap(({ handlers = [] }) => handlers),
  ];
  const share = settings.RELAY === "views" || settings.RELAY === "handlers" ? settings.RELAY : "all";
  const begins = share === "views" ? [] : additions.flatMap(({ begin = [] }) => begin);
  return {
    databases,
    relay: createRelay({
      db: databases.relay,
      subscriptions: [...app.readModels.map(subscribeReadModel), ...handlers.map(subscribeHandler)],
      share,
      timers: app.timers(databases.handlers, settings),
      delayMs: settings.RELAY_DELAY_MS,
      ...stopping && { stopping },
    }),
    replica: additions.find(({ replica }) => replica)?.replica,
    opsToken: settings.OPS_TOKEN,
    begin: begins.length === 0 ? undefined : async () => {
      for (const begin of begins) await begin();
    },
    close: async () => void await Promise.all(opened.map((db) => db.destroy())),
  };
}
