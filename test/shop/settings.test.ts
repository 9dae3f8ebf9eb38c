import { expect, it } from "vitest";
import { app } from "../../src/app.ts";
import { readSettings } from "../../src/compose.ts";

it("The shop's settings are read with those of the program, and a wrong one is named", () => {
  expect(readSettings({}, app)).toMatchObject({ PORT: 8000, PAYMENT_ASK_WITHIN_MS: 900_000 });
  expect(readSettings({ PAYMENT_ASK_WITHIN_MS: "1000" }, app)).toMatchObject({
    PAYMENT_ASK_WITHIN_MS: 1_000,
  });
  expect(() => readSettings({ PAYMENT_ASK_WITHIN_MS: "soon", PORT: "-1" }, app)).toThrow(
    "Cannot start: PORT is not a port\nCannot start: PAYMENT_ASK_WITHIN_MS is not a number",
  );
});
