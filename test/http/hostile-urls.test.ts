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
    for (const path of [`/jars/${id}`, `/jars/${id}?consistency=strong`]) {
      expectProblem(await app.get(path), 400, "invalid-input", ["#/id"]);
    }
    expectProblem(await app.post(`/jars/${id}/fill`, { grams: 1 }), 400, "invalid-input", ["#/id"]);
  });
});

describe("A path that leads nowhere", () => {
  it.each(["/%00", "/%ff", "/%", "/jars/%2f", "//jars", "/__proto__", "/constructor", "/ops%2frelay"])(
    "is a problem: %s",
    async (path) => {
      expect([400, 404]).toContain((await app.get(path)).status);
    },
  );
});

describe("A query string", () => {
  it.each([
    ["label=%00", "#/label"],
    ["label=a%00b", "#/label"],
    [`label=${"x".repeat(51)}`, "#/label"],
    ["limit=%00", "#/limit"],
    ["limit=9007199254740993", "#/limit"],
    ["limit=1e400", "#/limit"],
    ["limit=-0", "#/limit"],
    [`after=${"x".repeat(10_000)}`, "#/after"],
    ["after=%ff", "#/after"],
    ["after=____", "#/after"],
  ])("is a problem: %s", async (query, pointer) => {
    expectProblem(await app.get(`/jars?${query}`), 400, "invalid-input", [pointer]);
  });

  it.each([
    "label=%ff",
    "label=%ed%a0%80",
    "label=+",
    "limit=1&limit=0",
    "limit",
    "&&&",
    "=",
    "__proto__=1",
    "constructor=1",
    "label[]=1",
    "label=%",
  ])("is understood or a problem, but no bug: %s", async (query) => {
    expect([200, 400]).toContain((await app.get(`/jars?${query}`)).status);
  });

  it.each([
    ["no tuple", { label: "x" }],
    ["one part", ["x"]],
    ["a part too many", ["x", randomUUID(), 1]],
    ["an id that is none", ["x", "1"]],
    ["a number for a text", [1, randomUUID()]],
    ["a NUL", ["a\0b", randomUUID()]],
    ["half of a surrogate pair", ["\ud800", randomUUID()]],
  ])("is a problem when its page comes after %s", async (_, key) => {
    expectProblem(await app.get(`/jars?after=${afterKey(key)}`), 400, "invalid-input", ["#/after"]);
  });
});
