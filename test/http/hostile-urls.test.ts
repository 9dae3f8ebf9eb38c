import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { toPage } from "../../src/read/page.ts";
import { useTestApp } from "../support/app.ts";
import { expectProblem } from "../support/problem.ts";

const app = useTestApp();

/** Returns the `next` of a page ending at the key. */
const afterKey = (key: unknown) => toPage([1, 2], 1, () => key as unknown[]).next;

describe("A path with an id that is none", () => {
  it.each([
    "%00",
    "%ff",
    "%",
    "%c0%af",
    "1",
    "null",
    "'%20or%201=1--",
    "01990000-0000-7000-8000-00000000000",
    "01990000-0000-7000-8000-00000000000g",
    "01990000000070008000000000000001",
    "%7B01990000-0000-7000-8000-000000000001%7D",
    "01990000-0000-7000-8000-000000000001%0a",
    "x".repeat(5_000),
  ])("is a problem: %s", async (id) => {
    for (const path of [`/orders/${id}`, `/products/${id}?consistency=strong`, `/customers/${id}`]) {
      expectProblem(await app.get(path), 400, "invalid-input", ["#/id"]);
    }
    expectProblem(await app.post(`/orders/${id}/cancel`, { reason: "x" }), 400, "invalid-input", ["#/id"]);
  });
});

describe("A path that leads nowhere", () => {
  it.each([
    "/%00",
    "/%ff",
    "/%",
    "/products/%2f",
    "//products",
    "/__proto__",
    "/constructor",
    "/ops%2frelay",
  ])(
    "is a problem: %s",
    async (path) => {
      expect([400, 404]).toContain((await app.get(path)).status);
    },
  );
});

describe("A query string", () => {
  it.each([
    ["search=%00", "#/search"],
    ["search=a%00b", "#/search"],
    [`search=${"x".repeat(201)}`, "#/search"],
    ["limit=%00", "#/limit"],
    ["limit=9007199254740993", "#/limit"],
    ["limit=1e400", "#/limit"],
    ["limit=-0", "#/limit"],
    [`after=${"x".repeat(10_000)}`, "#/after"],
    ["after=%ff", "#/after"],
    ["after=____", "#/after"],
  ])("of /products is a problem: %s", async (query, pointer) => {
    expectProblem(await app.get(`/products?${query}`), 400, "invalid-input", [pointer]);
  });

  it.each([
    "search=%ff",
    "search=%ed%a0%80",
    "search=+",
    "limit=1&limit=0",
    "limit",
    "&&&",
    "=",
    "__proto__=1",
    "constructor=1",
    "search[]=1",
    "search=%",
  ])(
    "of /products is understood or a problem, but no bug: %s",
    async (query) => {
      expect([200, 400]).toContain((await app.get(`/products?${query}`)).status);
    },
  );

  it.each([
    ["no tuple", { name: "x" }],
    ["one part", ["x"]],
    ["a part too many", ["x", randomUUID(), 1]],
    ["an id that is none", ["x", "1"]],
    ["a NUL", ["a\0b", randomUUID()]],
    ["half of a surrogate pair", ["\ud800", randomUUID()]],
  ])("of /products is a problem when its page comes after %s", async (_, key) => {
    expectProblem(await app.get(`/products?after=${afterKey(key)}`), 400, "invalid-input", ["#/after"]);
  });

  it.each([
    ["no time", ["yesterday", randomUUID()]],
    ["a time that PostgreSQL does not know", ["0000-01-01T00:00:00Z", randomUUID()]],
    ["an id that is none", ["2026-01-01T00:00:00Z", "1"]],
    ["numbers", [1, 2]],
  ])("of /orders is a problem when its page comes after %s", async (_, key) => {
    expectProblem(await app.get(`/orders?after=${afterKey(key)}`), 400, "invalid-input", ["#/after"]);
  });

  it("of /orders is a problem: customerId=%00", async () => {
    expectProblem(await app.get("/orders?customerId=%00"), 400, "invalid-input", ["#/customerId"]);
    expectProblem(await app.get("/sales/daily?from=%00"), 400, "invalid-input", ["#/from"]);
  });
});
