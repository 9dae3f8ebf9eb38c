import process from "node:process";
import type { App } from "../compose.ts";
import { type DatabaseUrls, settingOf, type Settings } from "../config.ts";
import { type Database, openDatabase } from "../database/database.ts";
import { subscribeReadModel } from "../read/read-model.ts";
import { drain } from "../relay/drain.ts";
import { createRelay } from "../relay/relay.ts";
import { configureLogging } from "../logging.ts";
import { migrateDatabase } from "./migrations.ts";
import { operatorTokenOf } from "./operator-token.ts";
import { readDevelopmentSettings, readProductionSettings } from "./settings.ts";
import { start, type StartOptions } from "./start.ts";
import { supervise } from "./supervise.ts";
import { explainUnreached } from "./unreached.ts";
import { useDatabase } from "./use-database.ts";

/** Adds sample data. The next run completes an interrupted run. */
type Fill = (db: Database) => Promise<void>;

const FIRST_DRAIN_MS = 2_000;
const ORPHAN_CHECK_MS = 500;
/** Short in development: a changed file is served soon. */
const KEEP_ALIVE_MS = 1_000;

/** Runs `dev`: a database, and `dev-server` as a child, started again after every change of a file. */
export async function dev(): Promise<number> {
  const stopped = untilStopped();
  const settings = readDevelopmentSettings();
  const { isLocal, urls, stop } = await useDatabase(settings);
  if (isLocal && !stopped.aborted) console.log(`\n  Database  ${urls.owner}`);
  try {
    return await supervise("dev-server", isLocal ? toEnvironment(urls) : {}, stopped);
  } finally {
    await stop();
  }
}

function toEnvironment({ owner, command, query, relay }: DatabaseUrls) {
  return {
    DATABASE_URL: owner,
    COMMAND_DATABASE_URL: command,
    QUERY_DATABASE_URL: query,
    RELAY_DATABASE_URL: relay,
  };
}

/** Runs `dev-server`: migrations, sample data, API and relay, until the parent process ends. */
export async function devServer(app: App, fill?: Fill): Promise<number> {
  const stopped = untilStopped();
  process.stdin.resume().on("end", () => process.emit("SIGTERM"));
  const given = readDevelopmentSettings(app);
  const settings = { ...given, OPS_TOKEN: given.OPS_TOKEN ?? await operatorTokenOf(given.DATA_DIR) };
  const { urls } = await useDatabase(settings);
  configureLogging(settings.LOG_LEVEL, "text");
  await migrateDatabase(urls).catch((error) => {
    throw explainUnreached(error, settingOf(settings, "DATABASE_DIRECT_URL"));
  });
  if (fill) await fillAndRelay(app, fill, urls, settings);

  const { url, failed, stop } = await start(app, settings, urls, settings.HOST ?? "127.0.0.1", {
    api: true,
    relay: settings.RELAY !== "off",
    limits: { keepAliveMs: KEEP_ALIVE_MS, connectionsMax: settings.CONNECTIONS_MAX },
    hosts: [...settings.ALLOWED_HOSTS ?? [], settings.HOST ?? "localhost"],
  });
  console.log(`
  API       ${url}/docs
  Operator  Bearer ${settings.OPS_TOKEN}
  Stop      Ctrl-C
`);
  return await runUntil(stopped, failed, stop);
}

/** Adds the sample data and, unless another process does, fills the read models: the first request finds the data. */
async function fillAndRelay(
  app: App,
  fill: Fill,
  urls: DatabaseUrls,
  { RELAY, RELAY_DELAY_MS }: Settings,
): Promise<void> {
  const [command, relay] = [openDatabase(urls.command, { max: 1 }), openDatabase(urls.relay, { max: 6 })];
  try {
    await fill(command);
    const subscriptions = app.readModels.map(subscribeReadModel);
    if (RELAY === "on" || RELAY === "views") {
      await drain(
        createRelay({ db: relay, subscriptions, delayMs: RELAY_DELAY_MS }),
        FIRST_DRAIN_MS,
      );
    }
  } finally {
    await Promise.all([command.destroy(), relay.destroy()]);
  }
}

/** Runs `start` and `relay`: the API, the relay, or both, for production. Returns the exit code. */
export async function runUntilStopped(app: App, wanted: "api and relay" | "relay"): Promise<number> {
  const stopped = untilStopped();
  const settings = readProductionSettings(app);
  const options: StartOptions = {
    api: wanted !== "relay",
    relay: wanted === "relay" || settings.RELAY !== "off",
    limits: { connectionsMax: settings.CONNECTIONS_MAX },
    hosts: settings.ALLOWED_HOSTS,
  };
  configureLogging(settings.LOG_LEVEL, "json");
  const database = await useDatabase(settings);
  try {
    if (database.isLocal) await migrateDatabase(database.urls);
    const { url, failed, stop } = await start(
      app,
      settings,
      database.urls,
      settings.HOST ?? "0.0.0.0",
      options,
    );
    console.log(url ? `Listening on ${url}` : "Relaying");
    return await runUntil(stopped, failed, stop);
  } finally {
    await database.stop();
  }
}

/** Returns a signal aborted at the first request to stop; a repeated request ends the process at once. */
function untilStopped(): AbortSignal {
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, stop);
  if (process.env.npm_lifecycle_event !== undefined) whenOrphaned(stop);
  return stopping.signal;
}

/** Calls `stop` after a change of the parent: npm's shell ends at a signal without passing the signal on. */
function whenOrphaned(stop: () => void): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) stop();
  }, ORPHAN_CHECK_MS).unref();
}

async function runUntil(
  stopped: AbortSignal,
  failed: Promise<never>,
  stop: () => Promise<void>,
): Promise<number> {
  const aborted = new Promise<void>((resolve) => {
    if (stopped.aborted) resolve();
    stopped.addEventListener("abort", () => resolve());
  });
  try {
    await Promise.race([aborted, failed]);
    return 0;
  } finally {
    await stop();
  }
}
