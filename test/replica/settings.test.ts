import { expect, it } from "vitest";
import { readSettings } from "../../src/compose.ts";

it("QUERY_FALLBACK is the primary or none, and none if nothing is said", () => {
  expect(readSettings({})).toMatchObject({ QUERY_FALLBACK: "none" });
  expect(readSettings({ QUERY_FALLBACK: "primary" })).toMatchObject({ QUERY_FALLBACK: "primary" });
  expect(() => readSettings({ QUERY_FALLBACK: "yes", PORT: "-1" })).toThrow(
    "Cannot start: PORT is not a port\nCannot start: QUERY_FALLBACK is neither primary nor none",
  );
});
