import { afterAll, beforeAll } from "vitest";
import { type App, createHttp } from "../../src/compose.ts";
import type { Resources } from "../../src/http/env.ts";
import { pages } from "../../src/process/pages.ts";
import { serve, type Serving } from "../../src/process/serve.ts";
import { subscribeReadModel } from "../../src/read/read-model.ts";
import { drain } from "../../src/relay/drain.ts";
import { createRelay, type Relay } from "../../src/relay/relay.ts";
import { relayStatus } from "../../src/relay/status.ts";
import { app as jars } from "../jars/app.ts";
import type { Entries } from "../runtimes/runtimes.ts";
import { type TestDatabase, useTestDatabase } from "./database.ts";
import { runtime, useRuntime } from "./runtime.ts";
import { until } from "./until.ts";

export const OPS_TOKEN = "the-operator-of-the-tests";

export interface Answer {
  status: number;
  headers: Headers;
  /** The parsed JSON, or the text of an answer without JSON. */
  // deno-lint-ignore no-explicit-any
  body: any;
}

type HeaderFields = Record<string, string>;

export interface TestApp {
  database: TestDatabase;
  relay: Relay;
  /** The address of the app. */
  url: string;
  fetch(path: string, init: RequestInit): Promise<Response>;
  get(path: string, headers?: HeaderFields): Promise<Answer>;
  /** Sends text unchanged, any other body as JSON. */
  post(path: string, body?: unknown, headers?: HeaderFields): Promise<Answer>;
  put(path: string, body?: unknown, headers?: HeaderFields): Promise<Answer>;
  delete(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** Relays until every read model shows every event. */
  drained(): Promise<void>;
}

/** Serves the jars on a new database, with a login for each role. Only `drained` relays. */
export function useTestApp(): TestApp {
  return useAppOn(useTestDatabase({ jars: true }), jars, "test/jars");
}

/** Serves an app on a database. Only `drained` relays, and only to read models: no handler acts during a test. */
export function useAppOn(database: TestDatabase, app: App, entries: Entries): TestApp {
  let relay: Relay;
  beforeAll(() => {
    relay = createRelay({ db: database.relay, subscriptions: app.readModels.map(subscribeReadModel) });
  });
  const served = runtime === undefined
    ? useServedApp(app, () => ({
      databases: { commands: database.command, queries: database.query },
      relay,
      opsToken: OPS_TOKEN,
    }))
    : useRuntime(() => database.urls, { RELAY: "off", OPS_TOKEN }, { entries });

  const send = async (method: string, path: string, body?: unknown, headers: HeaderFields = {}) => {
    const type: HeaderFields = body === undefined ? {} : { "content-type": "application/json" };
    const text = typeof body === "string" ? body : JSON.stringify(body) ?? null;
    return await toAnswer(await served.fetch(path, { method, headers: { ...type, ...headers }, body: text }));
  };
  return {
    database,
    get relay() {
      return relay;
    },
    get url() {
      return served.url;
    },
    fetch: served.fetch,
    get: (path, headers) => send("GET", path, undefined, headers),
    post: (path, body, headers) => send("POST", path, body, headers),
    put: (path, body, headers) => send("PUT", path, body, headers),
    delete: (path, headers) => send("DELETE", path, undefined, headers),
    async drained() {
      await until("everything is relayed", async () => {
        await drain(relay, 5_000);
        const { outbox, subscriptions } = await relayStatus(relay.db, relay.subscriptions);
        return outbox === 0 && subscriptions.every(({ lag }) => lag === 0);
      });
    },
  };
}

/** Short: a test file ends soon after the last test. */
const KEEP_ALIVE_MS = 200;

/** Serves the app in this process. Only requests to `url` use the network, not calls of `fetch`. */
function useServedApp(app: App, resources: () => Resources) {
  const http = createHttp(app, { pages: pages() });
  let serving: Serving;
  beforeAll(async () => {
    serving = await serve(
      (request, incoming) => http.fetch(request, { ...resources(), incoming }),
      "127.0.0.1",
      0,
      {
        keepAliveMs: KEEP_ALIVE_MS,
      },
    );
  });
  afterAll(() => serving.stop());
  return {
    get url() {
      return serving.url;
    },
    fetch: async (path: string, init: RequestInit) => await http.request(path, init, resources()),
  };
}

export async function toAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = text !== "" && /json/.test(response.headers.get("content-type") ?? "");
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}
