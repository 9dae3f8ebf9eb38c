import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createHttp } from "../../src/compose.ts";
import { ReadModelBehind } from "../../src/errors.ts";
import { toToken } from "../../src/http/token.ts";
import { waitFor } from "../../src/read/wait.ts";
import { app as jars } from "../jars/app.ts";
import { newJar } from "../jars/http.ts";
import { toAnswer, useTestApp } from "../support/app.ts";
import { expectProblem } from "../support/problem.ts";
import { useProxy } from "../support/proxy.ts";
import { until } from "../support/until.ts";

const READERS = 300;
const READERS_MAX = 1_000;

const app = useTestApp();
const proxy = useProxy(() => app.database.urls.query);

/** Opens an app whose queries go through the proxy. */
function openApp() {
  const query = app.database.open(proxy.url(app.database.urls.query));
  const parts = { databases: { commands: app.database.command, queries: query }, relay: app.relay };
  const http = createHttp(jars);
  return async (token: string, seconds: number, id?: string) => {
    const headers = { "consistency-token": token, prefer: `wait=${seconds}` };
    return await toAnswer(await http.request(id ? `/jars/${id}` : "/grams", { headers }, parts));
  };
}

describe("Readers who wait for events that nobody has made", () => {
  it("share their looks, and do not hold up others", async () => {
    const ask = openApp();
    const { id, token } = await newJar(app);
    const before = proxy.roundTrips;
    const inVain = Array.from({ length: READERS }, () => ask(toToken(randomUUID()), 3));
    const waiting = ask(token, 10, id);
    await until("all wait", () => proxy.roundTrips - before > READERS);

    await app.drained();
    const drainedAt = performance.now();
    expect(await waiting).toMatchObject({ status: 200, body: { id } });
    expect(performance.now() - drainedAt).toBeLessThan(1_000);
    for (const answer of await Promise.all(inVain)) expectProblem(answer, 503, "read-model-behind");
    // Each has asked once by itself. One by one, they would have looked seventy times each.
    expect(proxy.roundTrips - before).toBeLessThan(5 * READERS);
  });

  it("are a thousand at most", async () => {
    const wait = (ms: number) => waitFor(app.database.query, "jar_details", randomUUID(), ms);
    const waiting = Promise.allSettled(Array.from({ length: READERS_MAX }, () => wait(1_000)));
    await expect(wait(1_000)).rejects.toThrow("Cannot wait: 1000 others do");
    const reasons = (await waiting).map((result) => String("reason" in result && result.reason.message));
    expect(new Set(reasons)).toEqual(
      new Set(["Cannot answer yet: jar_details has not reached the event of the token"]),
    );
    await expect(wait(1)).rejects.toThrow(ReadModelBehind);
  });
});
