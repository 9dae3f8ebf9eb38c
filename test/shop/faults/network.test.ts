import { sql } from "kysely";
import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { fromToken } from "../../../src/http/token.ts";
import { hold } from "../../support/hold.ts";
import { useProxy } from "../../support/proxy.ts";
import { useRunningShop } from "../support/running-shop.ts";
import { until } from "../../support/until.ts";
import { verify } from "./support/oracle.ts";
import { report } from "../../faults/support/report.ts";

/** A statement waits 3 s for a connection and 6 s for the result; the rest is for a machine under load. */
const REQUEST_MS_MAX = 15_000;
/** More clients than connections for commands: a fault strikes every connection. */
const CLIENTS = 24;

// Declared before the shop, because the shop starts behind the proxy.
const proxy = useProxy((): string => shop.database.urls.owner);
const shop = useRunningShop({ LOG_LEVEL: "fatal" }, (urls) => ({
  ...urls,
  command: proxy.url(urls.command),
  query: proxy.url(urls.query),
  relay: proxy.url(urls.relay),
  direct: proxy.url(urls.direct),
}));

const acknowledged: string[] = [];
let remark = "";

afterEach(async () => {
  Object.assign(proxy, { blackHole: false, loseReplies: false, delayMs: 0 });
  const verdict = await verify(shop.database.owner, { acknowledged });
  await report("Network between API and database", verdict, { seed: "none" }, remark);
  expect(verdict).toMatchObject({ missed: 0, twice: 0, outOfOrder: 0 });
});

describe("a network between the program and the database", () => {
  it.each([
    { fault: "resets connections", strike: () => proxy.cut() },
    { fault: "ends connections", strike: () => proxy.finish() },
  ])("that $fault again and again costs no command and no event", async ({ fault, strike }) => {
    const load = startLoad();
    for (let times = 0; times < 5; times++) {
      await load.answered(50);
      strike();
    }
    await load.answered(50);
    await load.stop(fault);
  });

  it("that takes its time costs nothing but that", async () => {
    const load = startLoad();
    proxy.delayMs = 50;
    await load.answered(50);
    await load.stop("takes 50 ms each way");
  });

  it.each([
    { fault: "swallows everything", what: "blackHole" as const },
    { fault: "loses what the database answers", what: "loseReplies" as const },
  ])("that $fault is answered by 503 in time, and left behind once it is over", async ({ fault, what }) => {
    const load = startLoad();
    await load.answered(50);
    proxy[what] = true;
    await load.unavailable(CLIENTS);
    proxy[what] = false;
    const over = performance.now();
    await load.answered(CLIENTS);
    console.log(`${fault}: answers again after ${Math.round(performance.now() - over)} ms`);
    await load.stop(fault);
  });
});

describe("two thousand requests at once", () => {
  it("are answered or refused at once with 503, and all is well afterwards", async () => {
    const before = process.memoryUsage().rss;
    const lock = await hold(shop.database.owner, (trx) => sql`lock table write.products`.execute(trx));
    const refused = new Set<string>();
    const keys = Array.from({ length: 2_000 }, () => `storm-${randomUUID()}`);
    const storm = keys.map(async (key) => {
      const status = await post(key);
      if (status === 503) refused.add(key);
      return status;
    });
    await until("those that are too many are refused while nothing else moves", () => refused.size > 900);
    await lock.commit();
    const statuses = await Promise.all(storm);
    const growthMb = Math.round((process.memoryUsage().rss - before) / 2 ** 20);
    remark = `2,000 at once: ${refused.size} refused, ${growthMb} MB more memory, clients included`;

    expect(new Set(statuses)).toEqual(new Set([201, 503]));
    expect(await post(`storm-${randomUUID()}`)).toBe(201);
    expect(await effectsOf(keys.filter((_, place) => statuses[place] === 201))).toEqual(new Set([1]));
  });
});

interface Load {
  /** Waits until `commands` more commands have been carried out. */
  answered(commands: number): Promise<void>;
  /** Waits until `requests` more requests have been refused. */
  unavailable(requests: number): Promise<void>;
  /** Ends the load, sets the remark for the report, and expects a single effect of every command. */
  stop(fault: string): Promise<void>;
}

/** Starts clients that send commands in sequence, each repeated under the same key until carried out. */
function startLoad(): Load {
  const done: string[] = [];
  let unavailable = 0;
  let slowestMs = 0;
  let stopping = false;
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (!stopping) {
      const key = `load-${randomUUID()}`;
      for (let status = 0; status !== 201;) {
        const sent = performance.now();
        status = await post(key);
        slowestMs = Math.max(slowestMs, performance.now() - sent);
        if (status !== 201) unavailable++;
      }
      done.push(key);
    }
  });
  const more = async (what: string, count: () => number, by: number) => {
    const wanted = count() + by;
    await until(`${by} more are ${what}`, () => count() >= wanted, REQUEST_MS_MAX);
  };
  return {
    answered: (commands) => more("answered", () => done.length, commands),
    unavailable: (requests) => more("unavailable", () => unavailable, requests),
    async stop(fault) {
      stopping = true;
      await Promise.all(clients);
      remark = `${fault}: ${done.length} commands, ${unavailable} tried again, slowest ${
        Math.round(slowestMs)
      } ms`;
      expect(await effectsOf(done)).toEqual(new Set([1]));
    },
  };
}

/** Sends a command and returns the status: done or try again. Fails after REQUEST_MS_MAX. */
async function post(key: string): Promise<number> {
  const response = await fetch(`${shop.url}/products`, {
    method: "POST",
    body: JSON.stringify({ name: "Desk lamp", priceCents: 4_900 }),
    headers: { "Content-Type": "application/json", "Idempotency-Key": key, "X-Request-Id": key },
    signal: AbortSignal.timeout(REQUEST_MS_MAX),
  });
  const body = await response.text();
  if (response.status === 503) expect(response.headers.get("retry-after")).toMatch(/^\d+$/);
  // The command is still running: only the answer was lost.
  else if (response.status === 409) expect(body).toContain("command-in-progress");
  else if (response.status !== 201) expect.unreachable(`${response.status} ${body}`);
  else acknowledged.push(fromToken(JSON.parse(body).token));
  return response.status;
}

/** Returns the distinct numbers of events per command. The request id is the correlation id of the events. */
async function effectsOf(keys: string[]): Promise<Set<number>> {
  const { rows } = await sql<{ effects: number }>`
    select count(event.id) as effects from jsonb_array_elements_text(${
    JSON.stringify(keys)
  }::text::jsonb) as key
    left join write.events as event on metadata ->> 'correlationId' = key group by key`.execute(
    shop.database.owner,
  );
  return new Set(rows.map(({ effects }) => effects));
}
