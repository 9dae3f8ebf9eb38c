import { setTimeout } from "node:timers/promises";
import { type Figure, show } from "./figure.ts";
import { productId } from "./fill.ts";
import { openHttpConnection } from "./http-connection.ts";
import type { Plan } from "./plan.ts";
import type { Stage } from "./stage.ts";

const PRODUCTS = 100;
const STEADY_PER_SECOND = 100;
const BACKLOG_MAX = 200;
const LOOK_MS = 100;

/** Measures orders carried to `confirmed`, and the backlog of the handlers at a steady rate. */
export async function measureFulfilment(stage: Stage, { roundMs }: Plan): Promise<Figure[]> {
  await stage.untilCaughtUp();
  await stockUp(stage);
  const spread = await carry(stage, PRODUCTS, roundMs);
  const popular = await carry(stage, 1, roundMs);
  const backlog = await backlogAt(stage, STEADY_PER_SECOND, 2 * roundMs);
  return [
    {
      what: "Orders carried to confirmed/s: spread over 100 products / all for one product",
      measured: `${show(spread)} / ${show(popular)} = ${(popular / spread).toFixed(2)}`,
      aim: { text: "≥ 0.5", isMet: popular >= 0.5 * spread },
      data: { spread, popular },
    },
    {
      what: `The longest backlog of the handlers at ${STEADY_PER_SECOND} orders/s, in events`,
      measured: show(backlog),
      aim: { text: `< ${BACKLOG_MAX}`, isMet: backlog < BACKLOG_MAX },
      data: { backlog },
    },
  ];
}

/** Receives enough stock of the products, by commands: the versions of rows and streams agree. */
async function stockUp({ server: { url } }: Stage): Promise<void> {
  const connection = openHttpConnection(url);
  try {
    for (let number = 1; number <= PRODUCTS; number++) {
      const body = JSON.stringify({ quantity: 100_000 });
      await connection.send("POST", `/products/${productId(number)}/stock`, 200, body);
    }
  } finally {
    connection.close();
  }
}

/** Places orders for a while and returns the orders confirmed per second, until all are confirmed. */
async function carry(stage: Stage, products: number, durationMs: number): Promise<number> {
  const before = await countConfirmed(stage);
  const startedAt = performance.now();
  await stage.http.run("ordersOverHttp", { url: stage.server.url, connections: 8, durationMs, products });
  await stage.untilCaughtUp();
  return (await countConfirmed(stage) - before) / (performance.now() - startedAt) * 1000;
}

async function countConfirmed({ database: { owner } }: Stage): Promise<number> {
  const [row] = await owner<[{ count: number }]>`
    select count(*)::integer as count from write.orders where status = 'confirmed'`;
  return row.count;
}

async function backlogAt(stage: Stage, perSecond: number, durationMs: number): Promise<number> {
  const { database: { owner }, server, http } = stage;
  let isPlacing = true;
  const placing = http.run("ordersOverHttp", {
    url: server.url,
    connections: 32,
    durationMs,
    products: PRODUCTS,
    perSecond,
  }).finally(() => (isPlacing = false));
  let backlog = 0;
  while (isPlacing) {
    const [row] = await owner<[{ events: number }]>`
      select (select max(position) from relay.log) - min(position) + (select count(*) from relay.lanes)::integer
        as events
      from relay.checkpoints where subscription in ('fulfilment', 'payments')`;
    backlog = Math.max(backlog, Number(row.events));
    await setTimeout(LOOK_MS);
  }
  await placing;
  return backlog;
}
