import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sql } from "kysely";
import { toAnswer } from "../support/app.ts";
import { hold, untilBlocked } from "../support/hold.ts";
import { expectProblem } from "../support/problem.ts";
import { settingsOf } from "../support/program.ts";
import { aCustomer, aProduct } from "../support/arrange.ts";
import { useTestDatabase } from "../support/database.ts";
import { useProxy } from "../support/proxy.ts";
import { type Running, startOn } from "../support/runtime.ts";
import { untilShown } from "../support/shown.ts";
import { until } from "../support/until.ts";

const DELAY_MS = 10;

const test = useTestDatabase();
const proxy = useProxy(() => test.urls.owner);

function useWorker(settings: () => Record<string, string>): () => string {
  let running: Running;
  beforeAll(async () => {
    running = await startOn("workerd", settings());
  });
  afterAll(() => running.stop());
  return () => running.url;
}

const post = (url: string, body: object) =>
  fetch(url, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });

const lamp = { name: "Lamp", priceCents: 1 };

describe("A Worker", () => {
  const url = useWorker(() => ({
    ...settingsOf(test.urls),
    COMMAND_DATABASE_URL: proxy.url(test.urls.command),
    QUERY_DATABASE_URL: proxy.url(test.urls.query),
    RELAY_DATABASE_URL: proxy.url(test.urls.relay),
    RELAY: "off",
  }));

  it("needs five round trips at most to its answer, with the connection it opens for it", async () => {
    const roundTripsOf = async (work: () => Promise<Response>, status: number) => {
      await until("no connection is left", async () => await connections() === 0);
      proxy.roundTripsInARow = 0;
      proxy.delayMs = DELAY_MS;
      const answer = await work();
      const { roundTripsInARow: roundTrips } = proxy;
      proxy.delayMs = 0;
      expect(answer.status).toBe(status);
      return { roundTrips, answer };
    };
    const added = await roundTripsOf(() => post(`${url()}/products`, lamp), 201);
    const { id, token } = await added.answer.json();
    const customerId = await aCustomer(test.command);
    const order = { customerId, lines: [{ productId: await aProduct(test.command), quantity: 1 }] };
    const placed = await roundTripsOf(() => post(`${url()}/orders`, order), 201);
    const strong = await roundTripsOf(() => fetch(`${url()}/products/${id}?consistency=strong`), 200);
    const late = { headers: { "consistency-token": token, prefer: "wait=0" } };
    const behind = await roundTripsOf(() => fetch(`${url()}/products/${id}`, late), 503);
    const listed = await roundTripsOf(() => fetch(`${url()}/products`), 200);
    expect({
      command: added.roundTrips,
      loading: placed.roundTrips,
      strong: strong.roundTrips,
      behind: behind.roundTrips,
      query: listed.roundTrips,
    }).toEqual({ command: 4, loading: 5, strong: 4, behind: 4, query: 4 });
  });

  it("leaves no connection behind", async () => {
    await Promise.all(Array.from({ length: 20 }, () => fetch(`${url()}/products`)));
    await until("no connection is left", async () => await connections() === 0);
  });
});

describe("A Worker whose database", () => {
  const url = useWorker(() => ({
    ...settingsOf(test.urls),
    COMMAND_DATABASE_URL: proxy.url(test.urls.command),
    QUERY_DATABASE_URL: proxy.url(test.urls.query),
    RELAY: "off",
  }));
  const list = async () => await toAnswer(await fetch(`${url()}/products`));

  it("is not there says so, and serves again when it is back", async () => {
    await proxy.close();
    expectProblem(await list(), 503, "database-unavailable");
    await proxy.open();
    expect((await list()).status).toBe(200);
  });

  it.each(["cut", "finish"] as const)("goes away while it is asked says so: %s", async (end) => {
    const held = await hold(test.owner, (trx) => sql`lock table read.product_catalog`.execute(trx));
    const asking = list();
    await untilBlocked(test.owner);
    proxy[end]();
    expectProblem(await asking, 503, "database-unavailable");
    await held.rollback();
    expect((await list()).status).toBe(200);
  });
});

describe("The Worker's cron", () => {
  const url = useWorker(() => ({ ...settingsOf(test.urls), RELAY: "off" }));

  it("relays what nobody has", async () => {
    const { id } = await (await post(`${url()}/products`, lamp)).json();
    const outcome = await fetch(`${url()}/cdn-cgi/local/scheduled`);
    expect(await outcome.text()).toBe("ok");
    await untilShown(test, id);
  });
});

describe("A Worker with Hyperdrive", () => {
  const url = useWorker(() => ({ ...settingsOf(test.urls), HYPERDRIVE: "on" }));

  it("reaches the databases whose names its bindings have, and relays after a command", async () => {
    const { id } = await (await post(`${url()}/products`, lamp)).json();
    await untilShown(test, id);
    for (const path of [`/products/${id}`, `/products/${id}?consistency=strong`]) {
      expect((await fetch(url() + path)).status).toBe(200);
    }
  });
});

async function connections(): Promise<number> {
  const rows = await test.owner.withTables<
    { pg_stat_activity: { datname: string; application_name: string } }
  >()
    .selectFrom("pg_stat_activity").select("application_name").where("datname", "=", test.name)
    .where("application_name", "in", ["cqrs command", "cqrs query", "cqrs relay", "cqrs handlers"]).execute();
  return rows.length;
}
