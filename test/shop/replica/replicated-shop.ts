import { readSettings } from "../../../src/compose.ts";
import { type DatabaseUrls, databaseUrls } from "../../../src/config.ts";
import { type Answer, OPS_TOKEN, toAnswer } from "../../support/app.ts";
import { settingsOf } from "../../support/program.ts";
import type { ReplicatedServer } from "../../replica/replicated-server.ts";
import { type RunningShop, useRunningShop } from "../support/running-shop.ts";

export interface ReplicatedShop extends RunningShop {
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** Adds a product and returns the receipt. */
  addProduct(): Promise<{ id: string; token: string }>;
  /** Returns the replica's state as shown to the operator. */
  replica(): Promise<unknown>;
}

/** Starts a shop with queries on the replica. `through` may put, for example, a proxy in between. */
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

/** Returns the program's URLs for settings with the queries on a replica. */
export function withReplica(urls: DatabaseUrls, replicaUrl: string): DatabaseUrls {
  const settings = readSettings({ ...settingsOf(urls), QUERY_DATABASE_URL: replicaUrl });
  return databaseUrls({ ...settings, DATABASE_URL: urls.owner });
}
