import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createHttp } from "../../src/compose.ts";
import { toToken } from "../../src/http/token.ts";
import { app as jars } from "../jars/app.ts";
import { newJar } from "../jars/http.ts";
import { toAnswer, useTestApp } from "../support/app.ts";
import { expectProblem } from "../support/problem.ts";
import { useProxy } from "../support/proxy.ts";
import { until } from "../support/until.ts";

const app = useTestApp();
const proxy = useProxy(() => app.database.urls.query);

const wait = (token: string, seconds: number) => ({ "consistency-token": token, prefer: `wait=${seconds}` });

describe("Consistency-Token", () => {
  it("answers 503 when the read model does not get there in time", async () => {
    await app.drained();
    const { id, token } = await newJar(app);
    const startedAt = performance.now();
    expectProblem(await app.get(`/jars/${id}`, wait(token, 0)), 503, "read-model-behind");
    const answeredAt = performance.now();
    expect(answeredAt - startedAt).toBeLessThan(1_900);
    expectProblem(await app.get(`/jars/${id}`, wait(token, 1)), 503, "read-model-behind");
    expect(performance.now() - answeredAt).toBeGreaterThan(1_000);
  });

  it("answers 200 once the read model is there", async () => {
    const { id, token } = await newJar(app);
    await app.drained();
    const { status, headers, body } = await app.get(`/jars/${id}`, wait(token, 0));
    expect({ status, id: body.id, consistency: headers.get("consistency") }).toEqual({
      status: 200,
      id,
      consistency: "token",
    });
  });

  it("waits for a drain that comes meanwhile", async () => {
    const { id, token } = await newJar(app);
    const query = app.database.open(proxy.url(app.database.urls.query));
    const parts = { databases: { commands: app.database.command, queries: query }, relay: app.relay };
    const before = proxy.roundTrips;
    const asking = createHttp(jars).request(`/jars/${id}`, { headers: wait(token, 30) }, parts);
    await until("it has asked in vain", () => proxy.roundTrips > before + 6);
    await app.drained();
    expect(await toAnswer(await asking)).toMatchObject({ status: 200, body: { id, version: 1 } });
  });

  it("waits two seconds unless told otherwise", async () => {
    const { token } = await newJar(app);
    const startedAt = performance.now();
    const answer = await app.get("/jars", { "consistency-token": token, prefer: "respond-async" });
    expectProblem(answer, 503, "read-model-behind");
    expect(performance.now() - startedAt).toBeGreaterThan(2_000);
    expect(performance.now() - startedAt).toBeLessThan(15_000);
  });

  it("reads Prefer among other preferences", async () => {
    const { token } = await newJar(app);
    const startedAt = performance.now();
    for (const prefer of ["respond-async, wait=0", "WAIT=0", `wait="0"; foo, return=minimal`]) {
      const answer = await app.get("/jars", { "consistency-token": token, prefer });
      expectProblem(answer, 503, "read-model-behind");
    }
    expect(performance.now() - startedAt).toBeLessThan(5_500);
  });

  it.each(["/jars", "/grams"])("holds for %s too", async (path) => {
    const { token } = await newJar(app);
    expectProblem(await app.get(path, wait(token, 0)), 503, "read-model-behind");
    await app.drained();
    const { status, headers } = await app.get(path, wait(token, 0));
    expect({ status, consistency: headers.get("consistency") }).toEqual({
      status: 200,
      consistency: "token",
    });
  });

  it("answers 404 when what it waited for shows that there is no such thing", async () => {
    const { token } = await newJar(app);
    await app.drained();
    expectProblem(await app.get(`/jars/${randomUUID()}`, wait(token, 0)), 404, "not-found");
  });

  it("waits in vain for an event of another database", async () => {
    expectProblem(await app.get("/jars", wait(toToken(randomUUID()), 0)), 503, "read-model-behind");
  });

  it.each([
    "",
    "x",
    "x".repeat(21),
    "x".repeat(23),
    "!".repeat(22),
    "x".repeat(20) + "==",
    randomUUID(),
    "x".repeat(5_000),
  ])(
    "answers 400 to %s",
    async (token) => {
      for (const path of ["/jars", `/jars/${randomUUID()}`]) {
        expectProblem(await app.get(path, wait(token, 0)), 400, "invalid-input");
      }
    },
  );
});
