import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { fromToken } from "../../../../src/http/token.ts";
import type { Random } from "../../../support/random.ts";
import { until } from "../../../support/until.ts";

export interface Load {
  /** The ids of the last events of the commands answered with success. */
  readonly acknowledged: string[];
  /** The number of answers of each kind: "201", "503 database-unavailable", or "lost". */
  readonly answers: Record<string, number>;
  /** Waits until `commands` more commands have been answered with success. */
  untilAnswered(commands: number, deadlineMs?: number): Promise<void>;
  /** Ends the load after every client's last answer, within a limit. */
  stop(): Promise<void>;
}

interface Answer {
  id: string;
  token: string | null;
}

const ANSWER_MS = 15_000;
const RETRY_MS = 40;
const GIVE_UP_MS = 30_000;
const PROGRESS_MS = 60_000;

/** Returns the answers in short, for a report. */
export function summary({ answers }: Pick<Load, "answers">): string {
  return Object.entries(answers).toSorted().map(([kind, count]) => `${count} × ${kind}`).join(", ");
}

/** True when a client sends the command again under the same key: neither done nor refused. */
export function isToBeSentAgain(kind: string): boolean {
  return /^(503|500|409 command-in-progress|409 version-conflict|lost)/.test(kind);
}

/**
 * Starts clients that send commands in sequence, each repeated under the same key until answered.
 * The commands add products, receive stock, change prices, and place and cancel orders, on shared products.
 */
export function startLoad(url: () => string, random: Random, { clients = 4 } = {}): Load {
  const stopping = new AbortController();
  const load = { acknowledged: [] as string[], answers: {} as Record<string, number> };
  const products: string[] = [];
  const send = createSender(url, load, stopping.signal);
  const running = Array.from({ length: clients }, async () => {
    const client = { customerId: randomUUID(), products, orders: [] as string[] };
    await send("PUT", `/customers/${client.customerId}`, { name: "Ada Lovelace", email: "ada@example.com" });
    while (!stopping.signal.aborted) await oneCommand(client, send, random);
  });
  return {
    ...load,
    async untilAnswered(commands, deadlineMs = PROGRESS_MS) {
      const wanted = load.acknowledged.length + commands;
      await until(
        `${commands} more commands are answered`,
        () => load.acknowledged.length >= wanted,
        deadlineMs,
      );
    },
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

interface Client {
  customerId: string;
  /** The products of all clients. */
  products: string[];
  /** The client's orders before a try to cancel. */
  orders: string[];
}

type Send = (method: string, path: string, body: object) => Promise<Answer | undefined>;

async function oneCommand({ customerId, products, orders }: Client, send: Send, random: Random) {
  const productId = products[random.between(0, products.length - 1)];
  const dice = random.between(1, 100);
  if (productId === undefined || dice <= 10) {
    const added = await send("POST", "/products", { name: "Desk lamp", priceCents: 4_900 });
    if (added) products.push(added.id);
  } else if (dice <= 35) {
    await send("POST", `/products/${productId}/stock`, { quantity: random.between(1, 9) });
  } else if (dice <= 45) {
    await send("POST", `/products/${productId}/price`, { priceCents: random.between(1, 9_999) });
  } else if (dice <= 80 || orders.length === 0) {
    const lines = [{ productId, quantity: random.between(1, 3) }];
    const placed = await send("POST", "/orders", { customerId, lines });
    if (placed) orders.push(placed.id);
  } else {
    const place = random.between(0, orders.length - 1);
    await send("POST", `/orders/${orders.splice(place, 1)[0]}/cancel`, { reason: "changed my mind" });
  }
}

/** Creates a sender: undefined after a refusal, or without an answer within GIVE_UP_MS of the end. */
function createSender(
  url: () => string,
  { acknowledged, answers }: Pick<Load, "acknowledged" | "answers">,
  stopping: AbortSignal,
): Send {
  let giveUpAt = Infinity;
  stopping.addEventListener("abort", () => giveUpAt = performance.now() + GIVE_UP_MS);
  return async (method, path, body) => {
    const key = `load-${randomUUID()}`;
    while (performance.now() < giveUpAt) {
      const { kind, answer, eventId } = await ask(`${url()}${path}`, method, key, body);
      answers[kind] = (answers[kind] ?? 0) + 1;
      if (eventId !== undefined) acknowledged.push(eventId);
      if (!isToBeSentAgain(kind)) return answer;
      await setTimeout(RETRY_MS);
    }
    return undefined;
  };
}

export interface Asked {
  /** "201", "503 database-unavailable", or "lost". */
  kind: string;
  /** The answer to a successful command. */
  answer?: Answer;
  /** The id of the stream's last event, from the answer's token. */
  eventId?: string;
}

/** Sends a command. The key is also the request id, and the correlation id of the resulting events. */
export async function ask(url: string, method: string, key: string, body: object): Promise<Asked> {
  try {
    const response = await fetch(url, {
      method,
      body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", "Idempotency-Key": key, "X-Request-Id": key },
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const answer = await response.json() as Answer & { code?: string };
    if (!response.ok) return { kind: `${response.status} ${answer.code}` };
    return { kind: `${response.status}`, answer, ...answer.token && { eventId: fromToken(answer.token) } };
  } catch {
    return { kind: "lost" };
  }
}
