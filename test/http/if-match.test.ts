import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { relabel } from "../jars/arrange.ts";
import { newJar } from "../jars/http.ts";
import { useTestApp } from "../support/app.ts";
import { runtime } from "../support/runtime.ts";
import { expectProblem } from "../support/problem.ts";

const app = useTestApp();

const fill = (id: string, grams: number, ifMatch: string) =>
  app.post(`/jars/${id}/fill`, { grams }, { "if-match": ifMatch });

describe("If-Match", () => {
  it("lets a command through at the version the caller has seen", async () => {
    const { id } = await newJar(app);
    const first = await fill(id, 1, `"1"`);
    expect(first).toMatchObject({ status: 200, body: { version: 2 } });
    expect((await fill(id, 2, first.headers.get("etag")!)).body.version).toBe(3);
  });

  it("answers 412 when the aggregate has moved on, and changes nothing", async () => {
    const { id } = await newJar(app);
    await fill(id, 1, `"1"`);
    for (const version of [0, 1, 3, 999_999_999]) {
      expectProblem(await fill(id, 2, `"${version}"`), 412, "version-mismatch");
    }
    expect((await app.get(`/jars/${id}?consistency=strong`)).body).toMatchObject({
      grams: 1,
      version: 2,
    });
  });

  it("answers 412 even to a command that would change nothing", async () => {
    const { id } = await newJar(app);
    expectProblem(await fill(id, 0, `"2"`), 412, "version-mismatch");
  });

  it("answers 412 rather than the rejection of a state the caller has not seen", async () => {
    const { id } = await newJar(app);
    await fill(id, 1, "*");
    await relabel(app.database.owner, id, "sealed");
    expectProblem(await fill(id, 1, `"1"`), 412, "version-mismatch");
    expectProblem(await fill(id, 1, `"2"`), 422, "jar-sealed");
  });

  it("lets any version through with *", async () => {
    const { id } = await newJar(app);
    expect((await fill(id, 1, "*")).body.version).toBe(2);
    expect((await fill(id, 2, "*")).body.version).toBe(3);
  });

  it("answers 404 when there is nothing to be at a version", async () => {
    expectProblem(await fill(randomUUID(), 1, `"1"`), 404, "not-found");
  });

  it.each(["1", `""`, `"one"`, `"-1"`, `W/"1"`, `"1", "2"`, `"1.0"`, `"99999999999"`, `'1'`])(
    "answers 400 to %s",
    async (ifMatch) => {
      const { id } = await newJar(app);
      expectProblem(await fill(id, 1, ifMatch), 400, "invalid-input");
    },
  );

  // On workerd, a header without a value does not arrive.
  it.skipIf(runtime === "workerd")("answers 400 to nothing", async () => {
    const { id } = await newJar(app);
    expectProblem(await fill(id, 1, ""), 400, "invalid-input");
  });
});
