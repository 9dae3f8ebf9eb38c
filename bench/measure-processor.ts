import { type BenchDatabase, createDatabase } from "./bench-database.ts";
import { type Figure, show } from "./figure.ts";
import { fillOrders } from "./fill.ts";
import { orderPaths } from "./measure-queries.ts";
import type { Plan } from "./plan.ts";
import { parentOf, processorMs } from "./processor-time.ts";
import { type Relay, startRelay, startServer } from "./server.ts";
import { ORDERS, type Stage, untilShown } from "./stage.ts";
import { median } from "./statistics.ts";

const CONNECTIONS = [8, 32];

type Shares = Record<"api" | "relay" | "postgres", number>;

/**
 * Measures the processor time of an order and of a query, in API, relay and PostgreSQL, and the rate of orders with and
 * without a relay. API and relay are processes of their own; the relay keeps read models only.
 */
export async function measureProcessor(stage: Stage, plan: Plan): Promise<Figure[]> {
  const postgres = await postmasterOf(stage);
  if (postgres === undefined) {
    return [{
      what: "Processor time",
      measured: "not measured: needs Linux, and a PostgreSQL on the same machine",
      data: {},
    }];
  }
  const database = await createDatabase(stage.postgres.adminUrl);
  try {
    await fillOrders(database.owner, ORDERS);
    return await measureOn(database, stage, plan, postgres);
  } finally {
    await database.drop();
  }
}

async function measureOn(
  database: BenchDatabase,
  { http }: Stage,
  { rounds, roundMs: durationMs }: Plan,
  postgres: number,
): Promise<Figure[]> {
  const api = await startServer(database.urls, "off");
  let relay: Relay | undefined;
  try {
    const place = (connections: number) =>
      http.run("ordersOverHttp", { url: api.url, connections, durationMs, products: 1_000 });
    const get = () =>
      http.run("getsOverHttp", { url: api.url, paths: orderPaths, connections: 16, durationMs });
    await place(8);
    const alone: number[] = [];
    for (const connections of CONNECTIONS) alone.push(median(await repeat(rounds, () => place(connections))));

    relay = startRelay(database.urls);
    await untilShown(database);
    const roots = { api: api.pid, relay: relay.pid, postgres };
    const figures: Figure[] = [];
    for (const [index, connections] of CONNECTIONS.entries()) {
      const runs = await repeat(rounds, () => costsOf(roots, () => place(connections)));
      figures.push(costFigure(`an order, ${connections} connections`, runs));
      figures.push(rateFigure(connections, median(runs.map(({ rate }) => rate)), alone[index]!));
      await untilShown(database);
    }
    figures.push(costFigure("a query by id", await repeat(rounds, () => costsOf(roots, get))));
    return figures;
  } finally {
    await relay?.stop();
    await api.stop();
  }
}

function rateFigure(connections: number, withRelay: number, without: number): Figure {
  return {
    what: `Orders/s, ${connections} connections: with a relay of read models / without`,
    measured: `${show(withRelay)} / ${show(without)} = ${(withRelay / without).toFixed(2)}`,
    data: { connections, withRelay, without },
  };
}

async function repeat<T>(rounds: number, measure: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let round = 0; round < rounds; round++) results.push(await measure());
  return results;
}

/** Returns the rate, and the processor time of a request in each process. */
async function costsOf(roots: Shares, run: () => Promise<number>) {
  const times = async () => await Promise.all(Object.values(roots).map(processorMs));
  const [before, startedAt] = [await times(), performance.now()];
  const rate = await run();
  const requests = rate * (performance.now() - startedAt) / 1000;
  const after = await times();
  const shares = Object.keys(roots).map((name, index) => [name, (after[index]! - before[index]!) / requests]);
  return { rate, shares: Object.fromEntries(shares) as Shares };
}

function costFigure(of: string, runs: { shares: Shares }[]): Figure {
  const shareOf = (name: keyof Shares) => median(runs.map(({ shares }) => shares[name]));
  const [api, relay, postgres] = [shareOf("api"), shareOf("relay"), shareOf("postgres")];
  return {
    what: `Processor time of ${of}: API + relay + PostgreSQL`,
    measured: `${show(api)} + ${show(relay)} + ${show(postgres)} = ${show(api + relay + postgres)} ms`,
    data: { runs },
  };
}

/** Returns the process of the PostgreSQL server; undefined on another machine or system. */
async function postmasterOf({ database: { owner } }: Stage): Promise<number | undefined> {
  const [row] = await owner<[{ pid: number }]>`select pg_backend_pid() as pid`;
  return await parentOf(row.pid);
}
