import { beforeAll, describe, expect, it } from "vitest";
import { aCustomer, aProduct } from "../support/arrange.ts";
import { useTestDatabase } from "../../support/database.ts";
import { useProxy } from "../../support/proxy.ts";
import { runtime, useRuntime } from "../../support/runtime.ts";
import { until } from "../../support/until.ts";

const DELAY_MS = 5;
/** Round trips to connect, for each request in a Worker: startup, and two for the password. */
const connecting = runtime === "workerd" ? 3 : 0;

describe.skipIf(!runtime)("On a runtime, as many round trips to the database are needed", () => {
  const test = useTestDatabase();
  const proxy = useProxy(() => test.urls.owner);
  const program = useRuntime(() => ({
    ...test.urls,
    command: proxy.url(test.urls.command),
    query: proxy.url(test.urls.query),
  }), { RELAY: "off" });
  let customerId: string;
  let productId: string;
  beforeAll(async () => {
    customerId = await aCustomer(test.command);
    productId = await aProduct(test.command);
  });

  const post = (path: string, body: object) =>
    program.fetch(path, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
    });
  const addProduct = () => post("/products", { name: "Lamp", priceCents: 1 });
  const placeOrder = () => post("/orders", { customerId, lines: [{ productId, quantity: 1 }] });

  /** Counts round trips in a row of a second run: connections are open and statements prepared, if kept. */
  async function roundTripsOf(work: () => Promise<Response>, status: number): Promise<number> {
    await (await work()).text();
    await until(
      "what was opened for one request is closed",
      async () => !connecting || await sessions() === 0,
    );
    Object.assign(proxy, { roundTripsInARow: 0, delayMs: DELAY_MS });
    const answer = await work();
    const { roundTripsInARow } = proxy;
    proxy.delayMs = 0;
    expect(answer.status).toBe(status);
    await answer.text();
    return roundTripsInARow;
  }

  async function sessions(): Promise<number> {
    const rows = await test.owner
      .withTables<{ pg_stat_activity: { datname: string; application_name: string } }>()
      .selectFrom("pg_stat_activity").select("datname").where("datname", "=", test.name)
      .where("application_name", "in", ["cqrs command", "cqrs query"]).execute();
    return rows.length;
  }

  it("one for a command, two for one that has to look first", async () => {
    expect(await roundTripsOf(addProduct, 201)).toBe(1 + connecting);
    expect(await roundTripsOf(placeOrder, 201)).toBe(2 + connecting);
  });

  it("one for a query, with a token or strong as well", async () => {
    const { id, token } = await (await addProduct()).json();
    const late = { headers: { "consistency-token": token, prefer: "wait=0" } };
    expect(await roundTripsOf(() => program.fetch("/products"), 200)).toBe(1 + connecting);
    expect(await roundTripsOf(() => program.fetch("/products", late), 503)).toBe(1 + connecting);
    const strong = `/products/${id}?consistency=strong`;
    expect(await roundTripsOf(() => program.fetch(strong), 200)).toBe(1 + connecting);
  });
});
