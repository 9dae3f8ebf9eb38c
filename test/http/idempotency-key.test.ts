import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { execute } from "../../src/write/execute.ts";
import { relabel } from "../jars/arrange.ts";
import { newJar } from "../jars/http.ts";
import { openJar } from "../jars/jar.ts";
import { useTestApp } from "../support/app.ts";
import { hold } from "../support/hold.ts";
import { expectProblem } from "../support/problem.ts";

const app = useTestApp();
const honey = { label: "Honey" };

const keyed = (key: string) => ({ "idempotency-key": key });
const fill = (id: string, grams: number, key: string) => app.post(`/jars/${id}/fill`, { grams }, keyed(key));
const eventsOf = async (stream: string) =>
  (await app.database.owner.selectFrom("write.events").select("type").where("stream", "=", stream).execute())
    .map(({ type }) => type);

describe("Idempotency-Key", () => {
  it("gives a creating command the same status, body and headers again, and carries it out once", async () => {
    const key = randomUUID();
    const [first, second] = [
      await app.post("/jars", honey, keyed(key)),
      await app.post("/jars", honey, keyed(key)),
    ];
    expect({ status: second.status, body: second.body }).toEqual({ status: 201, body: first.body });
    for (const header of ["location", "etag", "consistency-token"]) {
      expect(second.headers.get(header)).toBe(first.headers.get(header));
    }
    expect(await eventsOf(`jar-${first.body.id}`)).toEqual(["JarOpened"]);
  });

  it("gives the first answer again though the order of the fields differs", async () => {
    const [key, id] = [randomUUID(), randomUUID()];
    const first = await app.post("/jars", `{"id":"${id}","label":"Honey"}`, keyed(key));
    const second = await app.post("/jars", ` {"label": "Honey", "id": "${id}"}`, keyed(key));
    expect({ status: second.status, body: second.body }).toEqual({ status: 201, body: first.body });
  });

  it("gives the first answer again though a number is written in another way", async () => {
    const { id } = await newJar(app);
    const first = await app.post(`/jars/${id}/fill`, `{"grams":1}`, keyed("number"));
    const second = await app.post(`/jars/${id}/fill`, ` {"grams": 1.0}`, keyed("number"));
    expect({ status: second.status, body: second.body }).toEqual({ status: 200, body: first.body });
  });

  it("gives the first answer to a command that would now be rejected", async () => {
    const { id } = await newJar(app);
    const first = await fill(id, 1, "twice");
    await relabel(app.database.owner, id, "sealed");
    expect(await fill(id, 1, "twice")).toMatchObject({ status: 200, body: first.body });
    expectProblem(await fill(id, 1, "another"), 422, "jar-sealed");
  });

  it("gives the first answer before it looks at If-Match", async () => {
    const { id } = await newJar(app);
    const insist = () =>
      app.post(`/jars/${id}/fill`, { grams: 1 }, { ...keyed("insist"), "if-match": `"1"` });
    const first = await insist();
    expect(await insist()).toMatchObject({ status: 200, body: first.body });
  });

  it("keeps the answer of a command that changed nothing", async () => {
    const { id, token } = await newJar(app);
    expect(await fill(id, 0, "no change")).toMatchObject({ status: 200, body: { id, version: 1, token } });
    await app.post(`/jars/${id}/fill`, { grams: 6 });
    expect(await fill(id, 0, "no change")).toMatchObject({ status: 200, body: { id, version: 1, token } });
  });

  it("is refused with another body, or for another aggregate", async () => {
    const [one, other] = [await newJar(app), await newJar(app)];
    await fill(one.id, 1, "reused");
    expectProblem(await fill(one.id, 2, "reused"), 422, "idempotency-key-reused");
    expectProblem(await fill(other.id, 1, "reused"), 422, "idempotency-key-reused");
    expect(await eventsOf(`jar-${other.id}`)).toEqual(["JarOpened"]);
  });

  it("belongs to one command", async () => {
    const { body: { id } } = await app.post("/jars", honey, keyed("shared"));
    expect(await fill(id, 1, "shared")).toMatchObject({ status: 200, body: { id, version: 2 } });
  });

  it("is free again after a rejection", async () => {
    const { id } = await newJar(app, { label: "sealed" });
    expectProblem(await fill(id, 1, "too early"), 422, "jar-sealed");
    const malformed = await app.post(`/jars/${id}/fill`, { grams: 1, now: true }, keyed("too early"));
    expectProblem(malformed, 400, "invalid-input", ["#"]);
    await relabel(app.database.owner, id, "Honey");
    expect((await fill(id, 1, "too early")).status).toBe(200);
  });

  it("answers 409 while the first request is running", async () => {
    const context = { caller: "anonymous", correlationId: "test", idempotencyKey: "running" };
    const running = await hold(
      app.database.command,
      (trx) => execute(trx, openJar, { input: honey }, context),
    );
    expectProblem(await app.post("/jars", honey, keyed("running")), 409, "command-in-progress");
    await running.commit();
    expect((await app.post("/jars", honey, keyed("running"))).status).toBe(201);
  });

  it("takes 1 to 255 printable ASCII characters", async () => {
    for (const key of ["k", "~ !", "x".repeat(255)]) {
      expect((await app.post("/jars", honey, keyed(key))).status).toBe(201);
    }
    for (const key of ["", "x".repeat(256), "clé", "a\tb"]) {
      expectProblem(await app.post("/jars", honey, keyed(key)), 400, "invalid-input");
    }
  });
});
