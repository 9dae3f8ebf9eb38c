import { describe, expect, it } from "vitest";
import { readSettings } from "../../src/compose.ts";
import { databaseUrls } from "../../src/config.ts";

const DATABASE_URL = "postgres://shop_query:own@db/shop";

function urlsOf(settings: Record<string, string>) {
  return databaseUrls({ ...readSettings({ DATABASE_URL, ...settings }), DATABASE_URL });
}

describe("QUERY_DATABASE_URL", () => {
  it.each([
    "postgres://shop_query:secret@db/shop",
    "postgres://shop_query:secret@db:5432/shop",
  ])("names no replica at the address of the commands: %s", (url) => {
    expect(urlsOf({ QUERY_DATABASE_URL: url })).toMatchObject({ query: url });
    expect(urlsOf({ QUERY_DATABASE_URL: url }).replica).toBeUndefined();
  });

  it.each([
    [
      "postgres://shop_query:p%40ss@replica:5433/shop?sslmode=require",
      "postgres://shop_query:p%40ss@db/shop?sslmode=require",
    ],
    ["postgres://shop_query:p%40ss@db:5433/shop", "postgres://shop_query:p%40ss@db/shop"],
  ])("names one elsewhere, and its login is used on the primary as well: %s", (url, query) => {
    expect(urlsOf({ QUERY_DATABASE_URL: url })).toMatchObject({ replica: url, query });
  });

  it("names none where each login has an address of its own, as behind Hyperdrive", () => {
    const [COMMAND_DATABASE_URL, QUERY_DATABASE_URL] = ["0a1b2c", "3d4e5f"].map((id) =>
      `postgres://${id}:secret@${id}.hyperdrive.local:5432/shop`
    ) as [string, string];
    expect(urlsOf({ COMMAND_DATABASE_URL, QUERY_DATABASE_URL })).toMatchObject({ query: QUERY_DATABASE_URL });
    expect(urlsOf({ COMMAND_DATABASE_URL, QUERY_DATABASE_URL }).replica).toBeUndefined();
  });

  it("is compared with COMMAND_DATABASE_URL, if there is one", () => {
    const COMMAND_DATABASE_URL = "postgres://shop_command:secret@primary:5439/shop";
    expect(urlsOf({ COMMAND_DATABASE_URL, QUERY_DATABASE_URL: DATABASE_URL })).toMatchObject({
      command: COMMAND_DATABASE_URL,
      query: "postgres://shop_query:own@primary:5439/shop",
      replica: DATABASE_URL,
    });
    expect(urlsOf({ COMMAND_DATABASE_URL }).replica).toBeUndefined();
  });
});
