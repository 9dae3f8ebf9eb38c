import { describe, expect, it } from "vitest";
import { useRunningShop } from "../support/running-shop.ts";

const CLIENTS = 8;
const WRITES = 8;

const shop = useRunningShop({ RELAY_DELAY_MS: "300" });

interface Outcome {
  status: number;
  stale: boolean;
}

/** Changes the price again and again and reads the product after each change. */
async function writeAndRead(withToken: boolean): Promise<Outcome[]> {
  const { products } = shop.client;
  const { id } = await (await products.$post({ json: { name: "Desk lamp", priceCents: 0 } })).json();
  const outcomes: Outcome[] = [];
  for (let priceCents = 1; priceCents <= WRITES; priceCents++) {
    const changing = await products[":id"].price.$post({ param: { id }, json: { priceCents } });
    const changed = await changing.json();
    const headers: Record<string, string> = withToken
      ? { "Consistency-Token": changed.token!, Prefer: "wait=20" }
      : {};
    const reading = await products[":id"].$get({ param: { id }, query: {} }, { headers });
    const shown = await reading.json();
    outcomes.push({
      status: reading.status,
      stale: reading.status !== 200 || shown.version < changed.version ||
        Number(shown.priceCents) < priceCents,
    });
  }
  return outcomes;
}

async function load(withToken: boolean): Promise<Outcome[]> {
  const clients = Array.from({ length: CLIENTS }, () => writeAndRead(withToken));
  return (await Promise.all(clients)).flat();
}

describe("A client under load, with read models 300 ms behind", () => {
  it("never reads less than it has written when it sends the token", async () => {
    const outcomes = await load(true);
    expect(outcomes).toHaveLength(CLIENTS * WRITES);
    expect(outcomes.filter(({ status, stale }) => status !== 200 || stale)).toEqual([]);
  });

  it("does so without the token, which shows that the lag is real", async () => {
    expect((await load(false)).some(({ stale }) => stale)).toBe(true);
  });

  it("reads the list and the definition as it has written them, too", async () => {
    const { products } = shop.client;
    const added = await (await products.$post({ json: { name: "Office chair", priceCents: 1 } })).json();
    const strong = await products[":id"].$get({ param: added, query: { consistency: "strong" } });
    expect(await strong.json()).toMatchObject({ id: added.id, version: 1 });
    const list = await products.$get({ query: { search: "chair" } }, {
      headers: { "Consistency-Token": added.token!, Prefer: "wait=20" },
    });
    expect((await list.json()).items.map(({ id }) => id)).toEqual([added.id]);
  });
});
