import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { useShopApp } from "../support/shop.ts";

const app = useShopApp();
const id = randomUUID();

describe("An input of the wrong shape", () => {
  it.each<[string, unknown, Record<string, string>]>([
    ["/products", {}, {
      "#/name": "Invalid input: expected string, received undefined",
      "#/priceCents": "Invalid input: expected number, received undefined",
    }],
    ["/products", { id: 1, name: " ", priceCents: 1.5, colour: "red" }, {
      "#/id": "Invalid input: expected string, received number",
      "#/name": "Too small: expected string to have >=1 characters",
      "#/priceCents": "Invalid input: expected int, received number",
      "#": 'Unrecognized key: "colour"',
    }],
    ["/products", { id: "1", name: "x".repeat(201), priceCents: -1 }, {
      "#/id": "Invalid UUID",
      "#/name": "Too big: expected string to have <=200 characters",
      "#/priceCents": "Too small: expected number to be >=0",
    }],
    ["/orders", { customerId: id, lines: [] }, { "#/lines": "Too small: expected array to have >=1 items" }],
  ])("is told what is wrong with it, in words: %s %j", async (path, input, expected) => {
    const { status, body } = await app.post(path, input);
    expect(status).toBe(400);
    const told = body.errors.map(({ pointer, detail }: Record<string, string>) => [pointer, detail]);
    expect(Object.fromEntries(told)).toEqual(expected);
  });

  it("is told so of a query, too", async () => {
    const { body } = await app.get("/orders?status=lost");
    expect(body.errors).toEqual([{
      pointer: "#/status",
      detail: 'Invalid option: expected one of "placed"|"confirmed"|"shipped"|"cancelled"',
    }]);
  });
});
