import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { useTestApp } from "../support/app.ts";
import { expectProblem } from "../support/problem.ts";

const app = useTestApp();

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
const shown = async (id: string) => (await app.get(`/products/${id}?consistency=strong`)).body;

describe("Hostile JSON", () => {
  it.each([
    ["a NUL in a text", `{"name":"a\\u0000b","priceCents":1}`, "#/name"],
    ["a NUL in a key", `{"name":"x","priceCents":1,"\\u0000":1}`, "#"],
    ["the first half of a surrogate pair", `{"name":"\\ud800","priceCents":1}`, "#/name"],
    ["the second half of a surrogate pair", `{"name":"x\\udc00x","priceCents":1}`, "#/name"],
    ["a half of a surrogate pair in a key", `{"name":"x","priceCents":1,"\\ud800":1}`, "#"],
    ["a number that no double holds", `{"name":"x","priceCents":9007199254740993}`, "#/priceCents"],
    ["a number beyond every double", `{"name":"x","priceCents":1e400}`, "#/priceCents"],
    ["a number of 10,000 digits", `{"name":"x","priceCents":${"9".repeat(10_000)}}`, "#/priceCents"],
    ["a fraction", `{"name":"x","priceCents":0.1e-300}`, "#/priceCents"],
    ["a prototype", `{"name":"x","priceCents":1,"__proto__":{"admin":true}}`, "#"],
    ["a prototype inside", `{"name":{"__proto__":1},"priceCents":1}`, "#/name"],
    ["a constructor", `{"name":"x","priceCents":1,"constructor":{"prototype":{}}}`, "#"],
    ["a name of 200,000 characters", `{"name":"${"x".repeat(200_000)}","priceCents":1}`, "#/name"],
  ])("with %s points at it", async (_, text, pointer) => {
    expectProblem(await app.post("/products", text), 400, "invalid-input", [pointer]);
  });

  it.each([100, 20_000, 120_000])("nested %d deep is a problem", async (depth) => {
    for (const text of [nested(depth), `{"name":${nested(depth)},"priceCents":1}`]) {
      expectProblem(await app.post("/products", text), 400, "invalid-input");
    }
    const objects = `{"name":`.repeat(depth / 10) + "1" + "}".repeat(depth / 10);
    expectProblem(await app.post("/products", objects), 400, "invalid-input");
  });

  it("with 100,000 lines is a problem of bounded size", async () => {
    const text = `{"customerId":"${randomUUID()}","lines":[${"1,".repeat(100_000)}1]}`;
    const answer = await app.post("/orders", text);
    expectProblem(answer, 400, "invalid-input");
    expect(JSON.stringify(answer.body).length).toBeLessThan(64 * 1024);
  });

  it("with 20,000 unknown fields is a problem, not much larger than they are", async () => {
    const fields = Array.from({ length: 20_000 }, (_, index) => `"f${index}":1`).join();
    const answer = await app.post("/products", `{"name":"x","priceCents":1,${fields}}`);
    expectProblem(answer, 400, "invalid-input", ["#"]);
    expect(JSON.stringify(answer.body).length).toBeLessThan(2 * fields.length);
  });

  it("leaves nothing behind", async () => {
    expect(await app.database.owner.selectFrom("write.events").select("id").execute()).toEqual([]);
    expect(({} as Record<string, unknown>).admin).toBeUndefined();
  });
});

describe("Odd JSON", () => {
  it("with a field twice means the last one", async () => {
    const { status, body } = await app.post(
      "/products",
      `{"name":"x","priceCents":1,"name":"y","priceCents":2}`,
    );
    expect(status).toBe(201);
    expect(await shown(body.id)).toMatchObject({ name: "y", priceCents: 2 });
  });

  it.each([
    ["a whole surrogate pair", `"\\ud83d\\ude00"`, "😀"],
    [
      "signs of SQL",
      JSON.stringify(`'"; drop table write.products; --\\`),
      `'"; drop table write.products; --\\`,
    ],
    ["control characters inside", `"a\\u0001\\u001f\\tb"`, "a\u0001\u001f\tb"],
    ["signs of two directions", JSON.stringify("שלום lamp \u202e"), "שלום lamp \u202e"],
  ])("with %s keeps it", async (_, name, kept) => {
    const { status, body } = await app.post("/products", `{"name":${name},"priceCents":-0}`);
    expect(status).toBe(201);
    expect(await shown(body.id)).toMatchObject({ name: kept, priceCents: 0 });
  });
});
