import { app } from "../../../src/app.ts";
import { afterEach, expect, it } from "vitest";
import { createHttp, readSettings } from "../../../src/compose.ts";
import { DatabaseUnavailable } from "../../../src/errors.ts";
import type { Resources } from "../../../src/http/env.ts";
import type { Served } from "../../../src/http/served.ts";
import { isMigrated, MIGRATIONS } from "../../../src/migrated.ts";
import { createPost } from "../../../src/process/post.ts";
import { start } from "../../../src/process/start.ts";
import { askStandby } from "../../../src/replica/ask.ts";
import { replica } from "../../../src/replica/replica.ts";
import { createStandby } from "../../../src/replica/standby.ts";
import { expectProblem } from "../../support/problem.ts";
import { describeOnServer } from "../../support/postgres.ts";
import { useProxy } from "../../support/proxy.ts";
import { useReplicatedServer } from "../../replica/replicated-server.ts";
import { useReplicatedShop, withReplica } from "./replicated-shop.ts";
import { until } from "../../support/until.ts";
import { createRelay } from "../../../src/relay/relay.ts";

const NEWEST = MIGRATIONS.at(-1)!;

const NOWHERE = "postgres://shop:sesame@127.0.0.1:1/shop";

const server = useReplicatedServer();
const proxy = useProxy(() => server.replicaUrl);
const alone = useReplicatedShop(server, {}, (url) => proxy.url(url));
const helped = useReplicatedShop(server, { QUERY_FALLBACK: "primary" }, (url) => proxy.url(url));

/** Waits until the replica answers queries again, through the proxy. */
async function untilBack(shop: typeof alone): Promise<void> {
  await until("the replica answers again", async () => {
    const before = proxy.roundTrips;
    return (await shop.get("/products")).status === 200 && proxy.roundTrips > before;
  });
}

afterEach(async () => {
  proxy.blackHole = false;
  await Promise.all([alone, helped].map(untilBack));
});

describeOnServer("without the replica", () => {
  it("queries are answered with 503 and when to come again, and the rest goes on", async () => {
    await proxy.close();
    for (let asked = 0; asked < 3; asked++) {
      const answer = await alone.get("/products");
      expectProblem(answer, 503, "database-unavailable");
      expect(answer.headers.get("retry-after")).toBe("1");
    }
    const { id } = await alone.addProduct();
    expect((await alone.get(`/products/${id}?consistency=strong`)).status).toBe(200);
    expect(await alone.replica()).toMatchObject({ position: null, lag: null, error: expect.any(String) });
    expectProblem(await alone.get("/ready"), 503, "database-unavailable");
    await proxy.open();
    await untilBack(alone);
    expect((await alone.get("/ready")).status).toBe(200);
  });

  it("the primary answers, if it may, and no longer than that", async () => {
    await proxy.close();
    const { id, token } = await helped.addProduct();
    const answer = await helped.get(`/products/${id}`, { "consistency-token": token });
    expect(answer).toMatchObject({ status: 200, body: { id } });
    expect((await helped.get("/ready")).status).toBe(200);
    await proxy.open();
    await untilBack(helped);
  });

  it("its being away is remembered after one query", async () => {
    const nowhere = alone.database.open(NOWHERE, { max: 1 });
    const standby = createStandby({ db: nowhere, watch: nowhere, fallback: "none" }, isMigrated);
    expect(standby.isThere()).toBe(true);
    await expect(askStandby(standby, alone.database.query, isMigrated)).rejects.toThrow(DatabaseUnavailable);
    await until("it is taken for away", () => !standby.isThere());
  });

  it("a process starts only if the primary may answer", async () => {
    await proxy.close();
    const startWith = (settings: Record<string, string>) =>
      start(
        app,
        readSettings({ PORT: "0", ...settings }),
        withReplica(alone.database.urls, proxy.url(alone.database.urls.query)),
        "127.0.0.1",
        { api: true, relay: false },
      );
    await expect(startWith({})).rejects.toThrow(/^Cannot reach the database of QUERY_DATABASE_URL at 127/);
    const { stop } = await startWith({ QUERY_FALLBACK: "primary" });
    await stop();
    await proxy.open();
  });
});

describeOnServer("without the primary", () => {
  it("a process that serves queries is ready and answers them, and one that serves commands is not ready", async () => {
    const { database } = alone;
    const nowhere = database.open(NOWHERE, { max: 1 });
    const onReplica = database.open(server.onReplica(database.urls.query), { max: 1 });
    const { replica: opened } = replica.open({ ...readSettings({}), QUERY_FALLBACK: "none" }, {
      urls: withReplica(database.urls, server.onReplica(database.urls.query)),
      databases: { queries: nowhere, relay: nowhere },
      openPool: () => onReplica,
      createPost,
    });
    const parts: Resources = {
      databases: { commands: nowhere, queries: nowhere },
      replica: opened,
      relay: createRelay({ db: nowhere, subscriptions: [] }),
    };
    const statusOf = async (serve: Served, path: string) =>
      (await createHttp(app, { serve }).request(path, {}, parts)).status;
    expect(await statusOf("queries", "/ready")).toBe(200);
    expect(await statusOf("queries", "/products")).toBe(200);
    expect(await statusOf("all", "/ready")).toBe(503);
    expect(await statusOf("all", "/products")).toBe(200);
  });
});

describeOnServer("a replica that swallows everything", () => {
  it("is waited for at first, and then no more", async () => {
    await untilBack(helped);
    proxy.blackHole = true;
    const times: number[] = [];
    for (let asked = 0; asked < 5; asked++) {
      const askedAt = performance.now();
      expect((await helped.get("/products")).status).toBe(200);
      times.push(Math.round(performance.now() - askedAt));
    }
    console.log(`A black hole costs ${times.join(", ")} ms`);
    // Less than the limits of the driver (5 seconds) and the server (10 seconds).
    expect(times[0]).toBeLessThan(5_000);
    expect(Math.max(...times.slice(1))).toBeLessThan(1_000);
    proxy.blackHole = false;
    proxy.cut();
  });
});

describeOnServer("a replica that is behind in migrations", () => {
  it("is not asked, and the process is not ready, until it has caught up", async () => {
    const { owner } = alone.database;
    const migrations = owner.withTables<
      { "migrations.applied": { name: string; checksum: string | null } }
    >();
    const newest = await migrations.deleteFrom("migrations.applied").where("name", "=", NEWEST)
      .returningAll().executeTakeFirstOrThrow();
    await server.caughtUp();
    await server.pause();
    await migrations.insertInto("migrations.applied").values(newest).execute();

    expectProblem(await alone.get("/ready"), 503, "database-unavailable");
    expectProblem(await alone.get("/products"), 503, "database-unavailable");
    await server.resume();
    await until("it is ready", async () => (await alone.get("/ready")).status === 200);
  });
});
