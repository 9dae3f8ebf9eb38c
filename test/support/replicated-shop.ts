import { type DatabaseUrls, databaseUrls, readSettings } from "../../src/config.ts";
import { type Answer, OPS_TOKEN, toAnswer } from "./app.ts";
import { settingsOf } from "./program.ts";
import type { ReplicatedServer } from "./replicated-server.ts";
import { type RunningShop, useRunningShop } from "./running-shop.ts";

export interface ReplicatedShop extends RunningShop {
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** Adds a product and answers its receipt. */
  addProduct(): Promise<{ id: string; token: string }>;
  /** What the operator sees of the replica. */
  replica(): Promise<unknown>;
}

/** A running shop whose queries go to the replica, `through` something in between. */
export function useReplicatedShop(
  server: ReplicatedServer,
  settings: Record<string, string> = {},
  through = (url: string) => url,
): ReplicatedShop {
  const shop = useRunningShop(
    { OPS_TOKEN, ...settings },
    async (urls) => {
      await server.caughtUp();
      return withReplica(urls, through(server.onReplica(urls.query)));
    },
    { adminUrl: () => server.url },
  );
  const get = async (path: string, headers = {}) =>
    await toAnswer(await fetch(new URL(path, shop.url), { headers }));
  return Object.assign(shop, {
    get,
    async addProduct() {
      const body = JSON.stringify({ name: "Desk lamp", priceCents: 4_900 });
      const headers = { "content-type": "application/json" };
      const answer = await fetch(new URL("/products", shop.url), { method: "POST", body, headers });
      return await answer.json() as { id: string; token: string };
    },
    async replica() {
      return (await get("/ops/relay", { authorization: `Bearer ${OPS_TOKEN}` })).body.replica;
    },
  });
}

/** What the settings make of a URL for queries that is elsewhere. */
export function withReplica(urls: DatabaseUrls, replicaUrl: string): DatabaseUrls {
  const settings = readSettings({ ...settingsOf(urls), QUERY_DATABASE_URL: replicaUrl });
  return databaseUrls({ ...settings, DATABASE_URL: urls.owner });
}
