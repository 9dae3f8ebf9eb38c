import { sql } from "kysely";
import { beforeAll, describe, expect, it } from "vitest";
import { app } from "../../../src/app.ts";
import type { Database } from "../../../src/database/database.ts";
import { useTestDatabase } from "../../support/database.ts";
import { keyOf, listSlow, uuid } from "../../support/plans.ts";

const test = useTestDatabase();

const ROWS = 60_000;
const FILL_MS = 60_000;
const byKeys = app.readModels.filter(({ refresh }) => refresh === "changed keys").map(({ name }) => name);

/** Fills every table that a definition reads: the test fails for a table that is forgotten here. */
async function fill(owner: Database): Promise<void> {
  const numbers = sql`generate_series(1, ${sql.lit(ROWS)}) as n`;
  await sql`insert into write.customers (id, name, email) values (${uuid("1")}, 'Ada', 'ada@example.com')`
    .execute(owner);
  await sql`
    insert into write.products (id, name, price_cents, version)
    select ${uuid("n")}, 'Product ' || n, n, 1 from ${numbers}`.execute(owner);
  await sql`insert into write.stock (product_id, available, version) select id, 10, 1 from write.products`
    .execute(owner);
  await sql`
    insert into write.orders (id, customer_id, status, version)
    select ${uuid("n")}, ${uuid("1")}, 'confirmed', 2 from ${numbers}`.execute(owner);
  await sql`
    insert into write.order_lines (order_id, line_number, product_id, quantity, unit_price_cents)
    select ${uuid("n")}, line, ${uuid(`1 + (n * 2 + line) % ${ROWS}`)}, 1, 100
    from ${numbers}, generate_series(1, 2) as line`.execute(owner);
  await sql`
    insert into write.stock_reservations (product_id, order_id, quantity)
    select product_id, order_id, quantity from write.order_lines where line_number = 1`.execute(owner);
  await sql`
    insert into write.payments (order_id, amount_cents, status, version)
    select id, 200, 'taken', 2 from write.orders`.execute(owner);
  await sql`analyze`.execute(owner);
}

beforeAll(() => fill(test.open(test.urls.owner, { deadlineMs: FILL_MS })), FILL_MS);

describe("a definition that is refreshed by changed keys", () => {
  it.each(byKeys)(
    "of %s is computed for a few keys without reading a table from end to end",
    async (name) => {
      expect(await listSlow(test.owner, `read.${name}_source`, await keyOf(test.owner, name))).toEqual([]);
    },
  );

  it("would be found out if its key were not pushed down", async () => {
    await sql`
      create view read.careless_source as
      select order_id, max(sold) as sold
      from (select order_id, sum(quantity) over (partition by product_id) as sold from write.order_lines) as lines
      group by order_id`.execute(test.owner);
    expect(await listSlow(test.owner, "read.careless_source", "order_id")).toEqual([
      "read.careless_source reads 120000 of 120000 rows of write.order_lines for 100 keys",
    ]);
  });
});
