import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { toPage } from "../../../src/read/page.ts";
import { expectProblem } from "../../support/problem.ts";
import { useShopApp } from "../support/shop.ts";

const app = useShopApp();

/** Returns the `next` of a page ending at the key. */
const afterKey = (key: unknown[]) => toPage([1, 2], 1, () => key).next;

describe("A path of the shop with an id that is none", () => {
  it.each(["%00", "%ff", "1", "01990000-0000-7000-8000-000000000001%0a", "x".repeat(5_000)])(
    "is a problem: %s",
    async (id) => {
      for (const path of [`/orders/${id}`, `/products/${id}?consistency=strong`, `/customers/${id}`]) {
        expectProblem(await app.get(path), 400, "invalid-input", ["#/id"]);
      }
      expectProblem(await app.post(`/orders/${id}/cancel`, { reason: "x" }), 400, "invalid-input", ["#/id"]);
    },
  );
});

describe("A query string of the shop", () => {
  it.each([
    ["no time", ["yesterday", randomUUID()]],
    ["a time that PostgreSQL does not know", ["0000-01-01T00:00:00Z", randomUUID()]],
    ["an id that is none", ["2026-01-01T00:00:00Z", "1"]],
    ["numbers", [1, 2]],
  ])("of /orders is a problem when its page comes after %s", async (_, key) => {
    expectProblem(await app.get(`/orders?after=${afterKey(key)}`), 400, "invalid-input", ["#/after"]);
  });

  it.each([
    ["/orders?customerId=%00", "#/customerId"],
    ["/sales/daily?from=%00", "#/from"],
    ["/products?search=%00", "#/search"],
    [`/products?search=${"x".repeat(201)}`, "#/search"],
  ])("is a problem: %s", async (path, pointer) => {
    expectProblem(await app.get(path), 400, "invalid-input", [pointer]);
  });
});

describe("A body of the shop", () => {
  it("with 100 wrong lines is told of ten, and with too many of that", async () => {
    for (const [lines, told] of [[100, 10], [9_000, 1], [30_000, 1]] as const) {
      const text = `{"customerId":"${randomUUID()}","lines":[${"1,".repeat(lines - 1)}1]}`;
      const answer = await app.post("/orders", text);
      expectProblem(answer, 400, "invalid-input");
      expect(answer.body.errors).toHaveLength(told);
      expect(JSON.stringify(answer.body).length).toBeLessThan(2_048);
    }
  });

  it("keeps a price of negative zero as zero", async () => {
    const { status, body } = await app.post("/products", `{"name":"Gift","priceCents":-0}`);
    expect(status).toBe(201);
    expect((await app.get(`/products/${body.id}?consistency=strong`)).body).toMatchObject({ priceCents: 0 });
  });
});

describe("A statement without an event that PostgreSQL undid because of others", () => {
  it.each(["40P01", "40001"])("may be sent again: %s", async (sqlstate) => {
    await sql.raw(`
      create function write.give_up() returns trigger language plpgsql as $$
      begin
        raise exception 'as if' using errcode = '${sqlstate}';
      end $$;
      create trigger given_up before insert on write.customers execute function write.give_up()`)
      .execute(app.database.owner);
    const customer = { name: "Ada Lovelace", email: "ada@example.com" };
    expectProblem(await app.put(`/customers/${randomUUID()}`, customer), 503, "try-again");
    await sql.raw("drop function write.give_up cascade").execute(app.database.owner);
  });
});
