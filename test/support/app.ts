import { beforeAll } from "vitest";
import { createApp, subscriptions } from "../../src/app.ts";
import type { Parts } from "../../src/http/env.ts";
import { pages } from "../../src/process/pages.ts";
import { drain, type Relay } from "../../src/relay/drain.ts";
import { relayStatus } from "../../src/relay/status.ts";
import { type TestDatabase, useTestDatabase } from "./database.ts";
import { until } from "./until.ts";

export const OPS_TOKEN = "operator";

export interface Answer {
  status: number;
  headers: Headers;
  /** What the JSON says, or the text when it is none. */
  // deno-lint-ignore no-explicit-any
  body: any;
}

type HeaderFields = Record<string, string>;

export interface TestApp {
  database: TestDatabase;
  relay: Relay;
  fetch(request: Request): Promise<Response>;
  get(path: string, headers?: HeaderFields): Promise<Answer>;
  /** Text is sent as it is, anything else as JSON. */
  post(path: string, body?: unknown, headers?: HeaderFields): Promise<Answer>;
  put(path: string, body?: unknown, headers?: HeaderFields): Promise<Answer>;
  delete(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** Relays until every read model shows everything. */
  drained(): Promise<void>;
}

/** Only the read models: nobody acts on an order behind a test's back. */
const readModels = subscriptions.filter(({ kind }) => kind.startsWith("read model"));

/** The app on a database of its own, with a login for each role. Nothing relays but `drained`. */
export function useTestApp(): TestApp {
  const database = useTestDatabase();
  const app = createApp({ pages: pages() });
  let parts: Parts;
  let relay: Relay;
  beforeAll(() => {
    relay = { db: database.relay, subscriptions: readModels, delayMs: 0 };
    parts = { databases: database, relay, opsToken: OPS_TOKEN };
  });

  const send = async (method: string, path: string, body?: unknown, headers: HeaderFields = {}) => {
    const type: HeaderFields = body === undefined ? {} : { "content-type": "application/json" };
    const text = typeof body === "string" ? body : JSON.stringify(body) ?? null;
    return await toAnswer(
      await app.request(path, { method, headers: { ...type, ...headers }, body: text }, parts),
    );
  };
  return {
    database,
    get relay() {
      return relay;
    },
    fetch: async (request) => await app.fetch(request, parts),
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

export async function toAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = /json/.test(response.headers.get("content-type") ?? "");
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}
