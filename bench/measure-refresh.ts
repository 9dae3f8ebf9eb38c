import postgres, { type Sql } from "postgres";
import type { BenchDatabase } from "./bench-database.ts";
import { type Figure, show } from "./figure.ts";
import { fillOrders, orderId } from "./fill.ts";
import type { Plan } from "./plan.ts";
import type { Stage } from "./stage.ts";
import { median } from "./statistics.ts";

const GROWTH_MAX = 1.5;
const REPEATS = { 1: 100, 100: 50, whole: 3 };

interface Costs {
  orders: number;
  oneKeyMs: number;
  hundredKeysMs: number;
  wholeMs: number;
}

/**
 * Measures the time to refresh a read model: by the changed keys, as in the relay, and as a whole, as a
 * materialized view of the same definition. Uses the scratch database: no server disturbs.
 */
export async function measureRefresh(
  { scratch: database }: Stage,
  { refreshOrders }: Plan,
): Promise<Figure[]> {
  const relay = postgres(database.urls.relay, { max: 1, fetch_types: false });
  try {
    const costs: Costs[] = [];
    await database.owner.unsafe(
      "create materialized view read.order_details_whole as select * from read.order_details_source",
    );
    await database.owner.unsafe("create unique index on read.order_details_whole (order_id)");
    for (const orders of refreshOrders) costs.push(await measureSize(database, relay, orders));
    return toFigures(costs);
  } finally {
    await relay.end({ timeout: 1 });
  }
}

async function measureSize({ owner }: BenchDatabase, relay: Sql, orders: number): Promise<Costs> {
  await fillOrders(owner, orders);
  await owner.unsafe("refresh materialized view read.order_details_whole");
  const byKeys = (count: 1 | 100) =>
    medianMs(REPEATS[count], async () => {
      const keys = Array.from({ length: count }, () => orderId(1 + Math.floor(Math.random() * orders)));
      await change(owner, keys);
      return () =>
        relay.unsafe(
          "select relay.refresh_keys('order_details', 0, 0, $1::text[])",
          [toArray(keys)],
          { prepare: true },
        );
    });
  return {
    orders,
    oneKeyMs: await byKeys(1),
    hundredKeysMs: await byKeys(100),
    wholeMs: await medianMs(REPEATS.whole, async () => {
      await change(owner, [orderId(1 + Math.floor(Math.random() * orders))]);
      return () => owner.unsafe("refresh materialized view concurrently read.order_details_whole");
    }),
  };
}

/**
 * Returns the median time of the prepared runs, without the preparing. The first run does not count: the
 * first run plans and fills caches.
 */
async function medianMs(repeats: number, prepare: () => Promise<() => Promise<unknown>>): Promise<number> {
  const times: number[] = [];
  for (let repeat = 0; repeat <= repeats; repeat++) {
    const run = await prepare();
    const startedAt = performance.now();
    await run();
    if (repeat > 0) times.push(performance.now() - startedAt);
  }
  return median(times);
}

async function change(owner: Sql, ids: string[]): Promise<void> {
  await owner.unsafe("update write.orders set version = version + 1 where id = any($1::uuid[])", [
    toArray(ids),
  ]);
}

function toArray(ids: string[]): string {
  return `{${ids.join(",")}}`;
}

function toFigures(costs: Costs[]): Figure[] {
  const [first, last] = [costs[0]!, costs.at(-1)!];
  const growth = { 1: last.oneKeyMs / first.oneKeyMs, 100: last.hundredKeysMs / first.hundredKeysMs };
  const worst = Math.max(growth[1], growth[100]);
  return [
    ...costs.map(({ orders, oneKeyMs, hundredKeysMs, wholeMs }) => ({
      what: `Refresh of ${show(orders)} orders: 1 key / 100 keys / whole`,
      measured: `${show(oneKeyMs)} / ${show(hundredKeysMs)} / ${show(wholeMs)} ms`,
      data: { orders, oneKeyMs, hundredKeysMs, wholeMs },
    })),
    {
      what: `Growth from ${show(first.orders)} to ${show(last.orders)} orders: 1 key / 100 keys`,
      measured: `× ${growth[1].toFixed(2)} / × ${growth[100].toFixed(2)}`,
      aim: { text: `≤ × ${GROWTH_MAX}`, isMet: worst <= GROWTH_MAX },
      data: { oneKey: growth[1], hundredKeys: growth[100] },
    },
  ];
}
