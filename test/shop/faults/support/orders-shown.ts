import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { fromToken } from "../../../../src/http/token.ts";
import type { Random } from "../../../support/random.ts";
import { until } from "../../../support/until.ts";
import type { Balancer, Sent } from "./balancer.ts";

export interface OrdersShown {
  /** The ids of the events acknowledged to clients. */
  readonly acknowledged: string[];
  /** The number of answers of each kind. */
  readonly answers: Record<string, number>;
  /** Returns the times from a command's answer to the answer of the query with the token, ascending. */
  delaysMs(): number[];
  untilMore(orders: number): Promise<void>;
  stop(): Promise<void>;
}

/** Enough products for orders to seldom want the same product at once: other tests cover the conflicts. */
const PRODUCTS = 50;
const PAUSE_MS_MAX = 100;
const WAIT_SECONDS = 10;
const PROGRESS_MS = 60_000;

/** Starts clients that place orders and query each order with the token. No request is sent twice. */
export async function startOrders(
  commands: Balancer,
  queries: Balancer,
  random: Random,
  clients = 6,
): Promise<OrdersShown> {
  const stopping = new AbortController();
  const acknowledged: string[] = [];
  const answers: Record<string, number> = {};
  const delaysMs: number[] = [];
  const counted = ({ kind, body }: Sent) => {
    answers[kind] = (answers[kind] ?? 0) + 1;
    if (body?.token) acknowledged.push(fromToken(body.token));
    return body;
  };
  const post = async (path: string, body: object) =>
    counted(await commands.send("POST", path, { body, headers: { "Idempotency-Key": randomUUID() } }));

  const customerId = randomUUID();
  const customer = { name: "Ada Lovelace", email: "ada@example.com" };
  counted(await commands.send("PUT", `/customers/${customerId}`, { body: customer, headers: {} }));
  const products = await Promise.all(Array.from({ length: PRODUCTS }, async (): Promise<string> => {
    const { id } = await post("/products", { name: "Desk lamp", priceCents: 4_900 });
    await post(`/products/${id}/stock`, { quantity: 100_000 });
    return id;
  }));

  const running = Array.from({ length: clients }, async () => {
    while (!stopping.signal.aborted) {
      const productId = products[random.between(0, PRODUCTS - 1)];
      const placed = await post("/orders", { customerId, lines: [{ productId, quantity: 1 }] });
      const placedAt = performance.now();
      if (placed?.token) {
        const headers = { "Consistency-Token": placed.token, "Prefer": `wait=${WAIT_SECONDS}` };
        counted(await queries.send("GET", `/orders/${placed.id}`, { headers }));
        delaysMs.push(performance.now() - placedAt);
      }
      await setTimeout(random.between(0, PAUSE_MS_MAX));
    }
  });
  return {
    acknowledged,
    answers,
    delaysMs: () => delaysMs.toSorted((one, other) => one - other),
    async untilMore(orders) {
      const wanted = delaysMs.length + orders;
      await until(`${orders} more orders are shown`, () => delaysMs.length >= wanted, PROGRESS_MS);
    },
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}
