import { afterEach, expect, it } from "vitest";
import { DatabaseUnavailable } from "../../../src/errors.ts";
import { findProduct } from "../../../src/features/catalog/queries/product-catalog.ts";
import { type Answer } from "../../support/app.ts";
import { expectProblem } from "../../support/problem.ts";
import { describeOnServer } from "../../support/postgres.ts";
import { useReplicatedServer } from "../../replica/replicated-server.ts";
import { useReplicatedShop } from "./replicated-shop.ts";
import { createRelay } from "../../../src/relay/relay.ts";
import { findBrokenPromises } from "../../support/as-of.ts";
import { seededRandom } from "../../support/random.ts";
import { readModelSubscriptions } from "../support/shop.ts";
import { untilShown } from "../support/shown.ts";
import { until } from "../../support/until.ts";

const CLIENTS = 8;
const PRODUCTS_EACH = 3;
const DELAY_MS = 300;

const server = useReplicatedServer();
const shop = useReplicatedShop(server);

const wait = (token: string, seconds: number) => ({ "consistency-token": token, prefer: `wait=${seconds}` });
const asOf = ({ headers }: Answer) => Date.parse(headers.get("as-of")!);

/** Pauses the replica and adds a product, shown by the primary only. */
async function unreplayed() {
  await server.pause();
  const product = await shop.addProduct();
  await untilShown(shop.database, product.id);
  return product;
}

async function resumed(): Promise<void> {
  await server.resume();
  await server.caughtUp();
}

afterEach(resumed);

describeOnServer("a query with a token, on a replica", () => {
  it("waits until the replica has the event", async () => {
    const { id, token } = await unreplayed();
    expectProblem(await shop.get(`/products/${id}`, wait(token, 0)), 503, "read-model-behind");
    const asking = shop.get(`/products/${id}`, wait(token, 30));
    await resumed();
    expect(await asking).toMatchObject({ status: 200, body: { id } });
  });

  it("shows what its client wrote, under load, when the replica is always late", async () => {
    await server.delay(DELAY_MS);
    const shown = await Promise.all(Array.from({ length: CLIENTS }, async () => {
      const answers: Answer[] = [];
      for (let products = 0; products < PRODUCTS_EACH; products++) {
        const { id, token } = await shop.addProduct();
        answers.push(await shop.get(`/products/${id}`, wait(token, 30)));
      }
      return answers;
    }));
    await server.delay(0);
    expect(shown.flat().map(({ status }) => status)).toEqual(Array(CLIENTS * PRODUCTS_EACH).fill(200));
  });
});

describeOnServer("?consistency=strong", () => {
  it("shows at once what the replica lacks", async () => {
    const { id } = await unreplayed();
    expectProblem(await shop.get(`/products/${id}`), 404, "not-found");
    expect(await shop.get(`/products/${id}?consistency=strong`)).toMatchObject({ status: 200, body: { id } });
  });

  it("is refused where the database for it turns out to be a replica", async () => {
    const { id } = await shop.addProduct();
    await server.caughtUp();
    const replica = shop.database.open(server.onReplica(shop.database.urls.query), { max: 1 });
    await expect(findProduct(replica, id, { level: "strong" })).rejects.toThrow(DatabaseUnavailable);
  });
});

describeOnServer("As-Of of a replica", () => {
  it("is never later than what it lacks, and goes on with what it replays", async () => {
    const { id } = await unreplayed();
    const { recorded_at, position } = await shop.database.owner.selectFrom("write.events")
      .innerJoin("relay.log", "event_id", "id").select(["write.events.recorded_at", "position"])
      .where("stream", "=", `product-${id}`).executeTakeFirstOrThrow();

    const behind = await shop.get("/products");
    expect(asOf(behind)).toBeLessThan(recorded_at.getTime());
    expect(Number(behind.headers.get("as-of-position"))).toBeLessThan(position);

    await resumed();
    const caughtUp = await shop.get("/products");
    expect(asOf(caughtUp)).toBeGreaterThanOrEqual(recorded_at.getTime());
    expect(Number(caughtUp.headers.get("as-of-position"))).toBeGreaterThanOrEqual(position);
  });
});

describeOnServer("GET /ops/relay", () => {
  it("says how far the replica is behind", async () => {
    await until("it has everything", async () => (await shop.replica() as { lag: number }).lag === 0);
    await unreplayed();
    await until(
      "time has passed",
      async () => (await shop.replica() as { lagSeconds: number }).lagSeconds > 0,
    );
    expect(await shop.replica()).toEqual({
      position: expect.any(Number),
      lag: 1,
      lagSeconds: expect.any(Number),
      error: null,
    });
    await resumed();
    expect(await shop.replica()).toMatchObject({ lag: 0, lagSeconds: 0 });
  });
});

describeOnServer("As-Of on a replica: every event committed before is in the answer", () => {
  it("also while 16 writers commit late", async () => {
    const { database } = shop;
    const command = database.open(database.urls.command, { max: 16 });
    const asked = [database.query, ...[1, 2].map(() => database.open(server.onReplica(database.urls.query)))];
    const [subscription] = readModelSubscriptions;
    const relay = createRelay({ db: database.relay, subscriptions: [subscription!] });
    const given = { command, asked, relay, readModel: subscription!.name, owner: database.owner };
    const found = await findBrokenPromises(given, seededRandom("as of, on a replica"));
    expect(found.missing).toEqual([]);
    expect(found.isBehind).toBe(true);
  });
});
