import postgres from "postgres";
import { setTimeout } from "node:timers/promises";
import { input, recordStatement } from "./add-product.ts";
import { customerId, productId } from "./fill.ts";
import { type HttpConnection, openHttpConnection } from "./http-connection.ts";
import { atRate, flatOut } from "./loops.ts";
import { percentile } from "./statistics.ts";
import { createVisibility } from "./visibility.ts";

/** The jobs of a load worker. Every job opens and closes its own connections. */
export const jobs = { commandsOverHttp, commandsRaw, getsOverHttp, ordersOverHttp, freshness };

interface Load {
  connections: number;
  durationMs: number;
}

const body = JSON.stringify(input);

/** Returns commands per second through the server. */
async function commandsOverHttp({ url, connections, durationMs }: Load & { url: string }) {
  return await withHttp(url, connections, (lanes) => flatOut(lanes, durationMs, addProductOn));
}

/** Returns commands per second by the same statement from a bare driver, with a connection for each lane. */
async function commandsRaw({ databaseUrl, connections, durationMs }: Load & { databaseUrl: string }) {
  const { text, nextParameters } = await recordStatement();
  return await withDriver(databaseUrl, connections, async (sql) => {
    const lanes = Array.from({ length: connections }, () => sql);
    return await flatOut(
      lanes,
      durationMs,
      (lane) => lane.unsafe(text, nextParameters() as never[], { prepare: true }),
    );
  });
}

/** Returns requests per second, each for a random path. */
async function getsOverHttp(
  { url, paths, connections, durationMs }: Load & { url: string; paths: string[] },
) {
  const anyPath = () => paths[Math.floor(Math.random() * paths.length)]!;
  return await withHttp(
    url,
    connections,
    (lanes) => flatOut(lanes, durationMs, (lane) => lane.send("GET", anyPath(), 200)),
  );
}

/** Places orders of three lines, for any of the first `products`; of a single line for one product. */
async function ordersOverHttp(
  { url, products, connections, durationMs, perSecond }: Load & {
    url: string;
    products: number;
    perSecond?: number;
  },
) {
  const place = (lane: HttpConnection) => lane.send("POST", "/orders", 201, anOrder(products));
  return await withHttp(
    url,
    connections,
    (lanes) =>
      perSecond === undefined
        ? flatOut(lanes, durationMs, place)
        : atRate(lanes, durationMs, perSecond, place),
  );
}

function anOrder(products: number): string {
  const chosen = new Set<number>();
  while (chosen.size < Math.min(3, products)) chosen.add(1 + Math.floor(Math.random() * products));
  const lines = [...chosen].map((number) => ({ productId: productId(number), quantity: 1 }));
  return JSON.stringify({ customerId: customerId(1), lines, paymentToken: "visa" });
}

/** `commandsPerSecond`: "idle" sends the next command 20 to 50 ms after the last command became visible. */
interface FreshnessOptions extends Load {
  url: string;
  databaseUrl: string;
  commandsPerSecond: "idle" | "flat out" | number;
}

const WATCH_ONE_IN = 5;

/** Returns the rate, and the ms from acknowledgement to visibility of products in the read model. */
async function freshness({ url, databaseUrl, connections, durationMs, commandsPerSecond }: FreshnessOptions) {
  return await withDriver(databaseUrl, 1, async (sql) => {
    const visibility = createVisibility(sql);
    const watching: Promise<void>[] = [];
    const addAndWatch = async (lane: HttpConnection) => {
      const { body } = await addProductOn(lane);
      if (commandsPerSecond !== "idle" && Math.random() * WATCH_ONE_IN > 1) return;
      watching.push(visibility.watch(JSON.parse(body).id));
      if (commandsPerSecond !== "idle") return;
      await watching.at(-1);
      await setTimeout(20 + Math.random() * 30);
    };
    const rate = await withHttp(
      url,
      connections,
      (lanes) =>
        typeof commandsPerSecond === "number"
          ? atRate(lanes, durationMs, commandsPerSecond, addAndWatch)
          : flatOut(lanes, durationMs, addAndWatch),
    );
    await Promise.all(watching);
    const { lagsMs } = visibility;
    return { rate, samples: lagsMs.length, p50Ms: percentile(lagsMs, 50), p99Ms: percentile(lagsMs, 99) };
  });
}

function addProductOn(lane: HttpConnection) {
  return lane.send("POST", "/products", 201, body);
}

async function withHttp<T>(url: string, connections: number, use: (lanes: HttpConnection[]) => Promise<T>) {
  const lanes = Array.from({ length: connections }, () => openHttpConnection(url));
  try {
    return await use(lanes);
  } finally {
    lanes.forEach((lane) => lane.close());
  }
}

async function withDriver<T>(url: string, max: number, use: (sql: postgres.Sql) => Promise<T>) {
  const sql = postgres(url, { max, fetch_types: false, onnotice: () => {} });
  try {
    return await use(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
