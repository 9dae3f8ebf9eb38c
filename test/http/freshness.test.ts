import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { newJar } from "../jars/http.ts";
import { type Answer, useTestApp } from "../support/app.ts";
import { expectProblem } from "../support/problem.ts";

const app = useTestApp();

const freshnessOf = ({ headers }: Answer) => ({
  consistency: headers.get("consistency"),
  position: Number(headers.get("as-of-position")),
  asOf: headers.get("as-of"),
});
const recordedAt = async (stream: string) =>
  (await app.database.owner.selectFrom("write.events").select("recorded_at").where("stream", "=", stream)
    .executeTakeFirstOrThrow()).recorded_at;

describe("Every answer to a query", () => {
  it.each([
    "/jars",
    "/grams",
    `/jars/${randomUUID()}`,
  ])(
    "says how fresh it is: %s",
    async (path) => {
      const { consistency, position, asOf } = freshnessOf(await app.get(path));
      expect({ consistency, position }).toEqual({ consistency: "eventual", position: expect.any(Number) });
      expect(asOf).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    },
  );

  it("names the position of the last event it shows", async () => {
    await app.drained();
    const { position } = freshnessOf(await app.get("/jars"));
    await newJar(app);
    await newJar(app);
    expect(freshnessOf(await app.get("/jars")).position).toBe(position);
    await app.drained();
    expect(freshnessOf(await app.get("/jars")).position).toBe(position + 2);
  });

  it("names the time of the oldest event it lacks, or now", async () => {
    await app.drained();
    const before = Date.now();
    expect(Date.parse(freshnessOf(await app.get("/jars")).asOf!)).toBeGreaterThanOrEqual(before - 1);

    const { id } = await newJar(app);
    await newJar(app);
    const lacking = await recordedAt(`jar-${id}`);
    expect(freshnessOf(await app.get("/jars")).asOf).toBe(lacking.toISOString());
    await app.drained();
    expect(Date.parse(freshnessOf(await app.get("/jars")).asOf!)).toBeGreaterThan(lacking.getTime());
  });
});

describe("?consistency=strong", () => {
  it("shows what the read model does not show yet", async () => {
    await app.drained();
    const { id } = await newJar(app, { label: "Honey" });
    expectProblem(await app.get(`/jars/${id}`), 404, "not-found");
    const strong = await app.get(`/jars/${id}?consistency=strong`);
    expect(strong).toMatchObject({ status: 200, body: { id, label: "Honey", grams: 0, version: 1 } });
    expect(freshnessOf(strong).consistency).toBe("strong");

    await app.post(`/jars/${id}/fill`, { grams: 3 });
    const { body } = await app.get(`/jars/${id}?consistency=strong`);
    expect(body).toMatchObject({ id, grams: 3, version: 2 });
    expectProblem(await app.get(`/jars/${id}?consistency=eventual`), 404, "not-found");
    await app.drained();
    expect(body).toEqual((await app.get(`/jars/${id}`)).body);
  });

  it("says how fresh it is, also when there is nothing", async () => {
    const { consistency, position, asOf } = freshnessOf(
      await app.get(`/jars/${randomUUID()}?consistency=strong`),
    );
    expect({ consistency, position }).toEqual({ consistency: "strong", position: expect.any(Number) });
    expect(Math.abs(Date.parse(asOf!) - Date.now())).toBeLessThan(60_000);
  });

  it("does not wait for a token", async () => {
    const { id, token } = await newJar(app);
    const answer = await app.get(`/jars/${id}?consistency=strong`, { "consistency-token": token });
    expect(answer).toMatchObject({ status: 200, body: { id } });
  });

  it.each(["/jars", "/grams"])("answers 400 on %s", async (path) => {
    expectProblem(await app.get(`${path}?consistency=strong`), 400, "invalid-input", ["#"]);
  });

  it("answers 400 to another word, or another parameter", async () => {
    const { id } = await newJar(app);
    expectProblem(await app.get(`/jars/${id}?consistency=weak`), 400, "invalid-input", ["#/consistency"]);
    expectProblem(await app.get(`/jars/${id}?fresh=1`), 400, "invalid-input", ["#"]);
  });
});
