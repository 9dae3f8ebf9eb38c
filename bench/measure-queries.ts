import { type Figure, show } from "./figure.ts";
import { orderId } from "./fill.ts";
import { alternate, type Plan } from "./plan.ts";
import { ORDERS, type Stage } from "./stage.ts";
import { median } from "./statistics.ts";

const CONNECTIONS = [8, 32];
const WARM_UP_MS = 2_000;
const PATHS = 1_000;

/** The paths of existing orders. */
export const orderPaths = Array.from(
  { length: PATHS },
  (_, index) => `/orders/${orderId(1 + index * Math.floor(ORDERS / PATHS))}`,
);

/** Measures orders by id per second, next to `GET /health`, without a database: the limit of HTTP alone. */
export async function measureQueries(stage: Stage, { rounds, roundMs }: Plan): Promise<Figure[]> {
  const get = (paths: string[], connections: number, durationMs = roundMs / 2) =>
    stage.http.run("getsOverHttp", { url: stage.server.url, paths, connections, durationMs });
  await stage.untilCaughtUp();
  await get(orderPaths, 8, WARM_UP_MS);

  const results = CONNECTIONS.map((connections) => ({
    connections,
    orders: [] as number[],
    health: [] as number[],
  }));
  await alternate(
    rounds,
    results.flatMap((result) => [
      async () => void result.orders.push(await get(orderPaths, result.connections)),
      async () => void result.health.push(await get(["/health"], result.connections)),
    ]),
  );
  return results.map(({ connections, orders, health }) => ({
    what: `Queries by id/s, ${connections} connections (and HTTP without a database)`,
    measured: `${show(median(orders))} (${show(median(health))})`,
    data: { connections, orders, health },
  }));
}
