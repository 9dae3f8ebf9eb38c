import { afterAll, beforeAll } from "vitest";
import { createApp, readModelSubscriptions } from "../../src/compose.ts";
import type { Resources } from "../../src/http/env.ts";
import { pages } from "../../src/process/pages.ts";
import { serve, type Serving } from "../../src/process/serve.ts";
import { createRelay, drain, type Relay } from "../../src/relay/drain.ts";
import { relayStatus } from "../../src/relay/status.ts";
import { type TestDatabase, useTestDatabase } from "./database.ts";
import { runtime, useRuntime } from "./runtime.ts";
import { until } from "./until.ts";

export const OPS_TOKEN = "operator";

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

/** Only the read models: no handler changes an order during a test. */
const readModels = readModelSubscriptions.filter(({ kind }) => kind.startsWith("read model"));

/** Serves the app on a new database, with a login for each role. Only `drained` relays. */
export function useTestApp(): TestApp {
  const database = useTestDatabase();
  let relay: Relay;
  beforeAll(() => {
    relay = createRelay({ db: database.relay, subscriptions: readModels });
  });
  const served = runtime === undefined
    ? useServedApp(() => ({
      databases: { commands: database.command, queries: database.query },
      relay,
      opsToken: OPS_TOKEN,
    }))
    : useRuntime(() => database.urls, { RELAY: "off", OPS_TOKEN });

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
function useServedApp(parts: () => Resources) {
  const app = createApp({ pages: pages() });
  let serving: Serving;
  beforeAll(async () => {
    serving = await serve((request) => app.fetch(request, parts()), "127.0.0.1", 0, KEEP_ALIVE_MS);
  });
  afterAll(() => serving.stop());
  return {
    get url() {
      return serving.url;
    },
    fetch: async (path: string, init: RequestInit) => await app.request(path, init, parts()),
  };
}

export async function toAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = /json/.test(response.headers.get("content-type") ?? "");
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}
