import { describe, expect, it } from "vitest";
import { sql } from "kysely";
import { toAnswer } from "../../support/app.ts";
import { hasPlatform } from "../../runtimes/runtimes.ts";
import { hold, untilBlocked } from "../../support/hold.ts";
import { expectProblem } from "../../support/problem.ts";
import { useTestDatabase } from "../../support/database.ts";
import { useProxy } from "../../support/proxy.ts";
import { useRuntime } from "../../support/runtime.ts";
import { untilShown } from "../support/shown.ts";
import { until } from "../../support/until.ts";

const test = useTestDatabase();
const proxy = useProxy(() => test.urls.owner);

const useWorker = (settings: () => Record<string, string>) =>
  useRuntime(() => test.urls, settings, { name: "cloudflare" });

const post = (url: string, body: object) =>
  fetch(url, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });

/** Skipped without the room of the platform. */
const describeWorker = describe.skipIf(!hasPlatform("cloudflare"));

const lamp = { name: "Lamp", priceCents: 1 };

describeWorker("A Worker", () => {
  const worker = useWorker(() => ({ RELAY: "off" }));

  it("leaves no connection behind", async () => {
    await Promise.all(Array.from({ length: 20 }, () => fetch(`${worker.url}/products`)));
    await until("no connection is left", async () => await connections() === 0);
  });
});

describeWorker("A Worker whose database", () => {
  const worker = useWorker(() => ({
    COMMAND_DATABASE_URL: proxy.url(test.urls.command),
    QUERY_DATABASE_URL: proxy.url(test.urls.query),
    RELAY: "off",
  }));
  const list = async () => await toAnswer(await fetch(`${worker.url}/products`));

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

describeWorker("The Worker's cron", () => {
  const worker = useWorker(() => ({ RELAY: "off" }));

  it("relays what nobody has", async () => {
    const { id } = await (await post(`${worker.url}/products`, lamp)).json();
    const outcome = await fetch(`${worker.url}/cdn-cgi/local/scheduled`);
    expect(await outcome.text()).toBe("ok");
    await untilShown(test, id);
  });
});

describeWorker("A Worker with Hyperdrive", () => {
  const worker = useWorker(() => ({ HYPERDRIVE: "on" }));

  it("reaches the databases whose names its bindings have, and relays after a command", async () => {
    const { id } = await (await post(`${worker.url}/products`, lamp)).json();
    await untilShown(test, id);
    for (const path of [`/products/${id}`, `/products/${id}?consistency=strong`]) {
      expect((await fetch(worker.url + path)).status).toBe(200);
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
