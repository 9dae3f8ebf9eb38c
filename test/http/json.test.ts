import { describe, expect, it } from "vitest";
import { InvalidInput } from "../../src/errors.ts";
import { parseJson } from "../../src/http/json.ts";

/** Returns the pointer to the refused place, or undefined for an accepted text. */
function refusedAt(text: string): string | undefined {
  try {
    parseJson(text);
  } catch (error) {
    if (error instanceof InvalidInput) return error.problems[0]?.pointer ?? "";
    throw error;
  }
}

describe("parseJson", () => {
  it("refuses a key that PostgreSQL cannot store, whatever the shape makes of it", () => {
    expect(refusedAt(`{"a":{"\\u0000":1}}`)).toBe("#/a");
    expect(refusedAt(`{"a":[{},{"x\\ud800":1}]}`)).toBe("#/a/1");
  });

  it("refuses __proto__ at any depth", () => {
    expect(refusedAt(`{"__proto__":1}`)).toBe("#");
    expect(refusedAt(`{"a":[{"__proto__":{}}]}`)).toBe("#/a/0");
  });

  it("refuses text that PostgreSQL cannot store, and points at it (RFC 6901)", () => {
    expect(refusedAt(`{"a/b":{"c~d":["x","\\u0000"]}}`)).toBe("#/a~1b/c~0d/1");
  });

  it("takes 32 levels, and no more", () => {
    const nested = (depth: number) => "[".repeat(depth) + "1" + "]".repeat(depth);
    expect(refusedAt(nested(32))).toBeUndefined();
    expect(refusedAt(nested(33))).toBe("#" + "/0".repeat(33));
  });

  it("refuses what is not JSON", () => {
    for (const text of ["", "{", "undefined", "NaN", "[1,]"]) expect(refusedAt(text)).toBe("");
  });
});
