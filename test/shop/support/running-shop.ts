import { app } from "../../../src/app.ts";
import { afterAll, beforeAll } from "vitest";
import { createClient } from "../../../src/client.ts";
import { readSettings } from "../../../src/compose.ts";
import type { DatabaseUrls } from "../../../src/config.ts";
import { start, type Started } from "../../../src/process/start.ts";
import { runtime, useRuntime } from "../../support/runtime.ts";
import { type TestDatabase, useTestDatabase } from "../../support/database.ts";

export interface RunningShop {
  database: TestDatabase;
  url: string;
  client: ReturnType<typeof createClient>;
}

/** Short: a test file ends soon after the last test. */
const KEEP_ALIVE_MS = 1_000;

/**
 * Starts the API on a real port and the relay, like `npm start`, on a new database.
 * `reach` may change the program's URLs of the database, for example to go through a proxy.
 */
export function useRunningShop(
  settings: Record<string, string> = {},
  reach: (urls: DatabaseUrls) => DatabaseUrls | Promise<DatabaseUrls> = (urls) => urls,
  server?: Parameters<typeof useTestDatabase>[0],
): RunningShop {
  const database = useTestDatabase(server);
  const urls = () => reach(database.urls);
  const running = runtime === undefined ? useStarted(urls, settings) : useRuntime(urls, settings);
  return {
    database,
    get url() {
      return running.url;
    },
    get client() {
      return createClient(running.url);
    },
  };
}

/** Starts the program in this process. */
function useStarted(urls: () => DatabaseUrls | Promise<DatabaseUrls>, settings: Record<string, string>) {
  let started: Started;
  beforeAll(async () => {
    const all = readSettings({ PORT: "0", ...settings });
    const parts = { api: true, relay: true, limits: { keepAliveMs: KEEP_ALIVE_MS } };
    started = await start(app, all, await urls(), "127.0.0.1", parts);
  });
  afterAll(() => started?.stop());
  return {
    get url() {
      return started.url!;
    },
  };
}
