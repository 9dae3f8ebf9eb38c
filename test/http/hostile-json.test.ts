import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { newJar } from "../jars/http.ts";
import { useTestApp } from "../support/app.ts";
import { expectProblem } from "../support/problem.ts";

const app = useTestApp();

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
const shown = async (id: string) => (await app.get(`/jars/${id}?consistency=strong`)).body;

describe("Hostile JSON", () => {
  it.each([
    ["a NUL in a text", `{"label":"a\\u0000b"}`, "#/label"],
    ["a NUL in a key", `{"label":"x","\\u0000":1}`, "#"],
    ["the first half of a surrogate pair", `{"label":"\\ud800"}`, "#/label"],
    ["the second half of a surrogate pair", `{"label":"x\\udc00x"}`, "#/label"],
    ["a half of a surrogate pair in a key", `{"label":"x","\\ud800":1}`, "#"],
    ["a prototype", `{"label":"x","__proto__":{"admin":true}}`, "#"],
    ["a prototype inside", `{"label":{"__proto__":1}}`, "#/label"],
    ["a constructor", `{"label":"x","constructor":{"prototype":{}}}`, "#"],
    ["a label of 60,000 characters", `{"label":"${"x".repeat(60_000)}"}`, "#/label"],
  ])("with %s points at it", async (_, text, pointer) => {
    expectProblem(await app.post("/jars", text), 400, "invalid-input", [pointer]);
  });

  it.each([
    ["a number that no double holds", "9007199254740993"],
    ["a number beyond every double", "1e400"],
    ["a number of 10,000 digits", "9".repeat(10_000)],
    ["a fraction", "0.1e-300"],
  ])("with %s points at it", async (_, number) => {
    const answer = await app.post(`/jars/${randomUUID()}/fill`, `{"grams":${number}}`);
    expectProblem(answer, 400, "invalid-input", ["#/grams"]);
  });

  it.each([100, 20_000, 30_000])("nested %d deep is a problem", async (depth) => {
    for (const text of [nested(depth), `{"label":${nested(depth)}}`]) {
      expectProblem(await app.post("/jars", text), 400, "invalid-input");
    }
    const objects = `{"label":`.repeat(depth / 10) + "1" + "}".repeat(depth / 10);
    expectProblem(await app.post("/jars", objects), 400, "invalid-input");
  });

  it.each([
    ["30,000 numbers in a known field", `{"label":[${"1,".repeat(30_000)}1]}`],
    ["30,000 numbers in an unknown field", `{"labels":[${"1,".repeat(30_000)}1]}`],
    ["6,000 unknown fields", unknownFields(6_000)],
    ["one unknown field with a name of 60,000 characters", `{"label":"x","${"f".repeat(60_000)}":1}`],
    ["an emoji in the place where the answer is cut", `{"label":"x","${"😀".repeat(10_000)}":1}`],
  ])("with %s is a problem of at most 1 kB", async (_, text) => {
    expect(text.length).toBeLessThan(64 * 1024);
    const answer = await app.post("/jars", text);
    expectProblem(answer, 400, "invalid-input");
    expect(JSON.stringify(answer.body).length).toBeLessThan(1_024);
  });

  it("with more than 10,000 values is not looked at any further", async () => {
    const inside = await app.post("/jars", `{"label":[${"1,".repeat(9_997)}1]}`);
    expectProblem(inside, 400, "invalid-input", ["#/label"]);
    expectProblem(await app.post("/jars", `{"label":[${"1,".repeat(9_998)}1]}`), 400, "invalid-input", ["#"]);
  });

  it("leaves nothing behind", async () => {
    expect(await app.database.owner.selectFrom("write.events").select("id").execute()).toEqual([]);
    expect(({} as Record<string, unknown>).admin).toBeUndefined();
  });
});

describe("Odd JSON", () => {
  it("with a field twice means the last one", async () => {
    const { status, body } = await app.post("/jars", `{"label":"x","label":"y"}`);
    expect(status).toBe(201);
    expect(await shown(body.id)).toMatchObject({ label: "y" });
  });

  it("with a negative zero means zero", async () => {
    const { id } = await newJar(app);
    expect(await app.post(`/jars/${id}/fill`, `{"grams":-0}`)).toMatchObject({
      status: 200,
      body: { version: 1 },
    });
    expect(await shown(id)).toMatchObject({ grams: 0, version: 1 });
  });

  it.each([
    ["a whole surrogate pair", `"\\ud83d\\ude00"`, "😀"],
    ["signs of SQL", JSON.stringify(`'"; drop table write.jars; --\\`), `'"; drop table write.jars; --\\`],
    ["control characters inside", `"a\\u0001\\u001f\\tb"`, "a\u0001\u001f\tb"],
    ["signs of two directions", JSON.stringify("שלום honey \u202e"), "שלום honey \u202e"],
  ])("with %s keeps it", async (_, label, kept) => {
    const { status, body } = await app.post("/jars", `{"label":${label}}`);
    expect(status).toBe(201);
    expect(await shown(body.id)).toMatchObject({ label: kept, grams: 0 });
  });
});

function unknownFields(count: number): string {
  return `{"label":"x",${Array.from({ length: count }, (_, index) => `"f${index}":1`).join()}}`;
}
