import { sql } from "kysely";
import { beforeAll, describe, expect, it } from "vitest";
import { app } from "../../../src/app.ts";
import { useTestDatabase } from "../../support/database.ts";
import { scannedByKey, uuid } from "../../support/plans.ts";

const test = useTestDatabase();

const ORDERS = 100_000;
const PRODUCTS = 100_000;
const FILL_MS = 60_000;
const LARGE = ["orders", "order_lines", "products", "stock"];
const byKeys = app.readModels.filter(({ refresh }) => refresh === "changed keys").map(({ name }) => name);

beforeAll(async () => {
  const owner = test.open(test.urls.owner, { deadlineMs: FILL_MS });
  await sql`insert into write.customers (id, name, email) values (${uuid("1")}, 'Ada', 'ada@example.com')`
    .execute(owner);
  await sql`
    insert into write.products (id, name, price_cents, version)
    select ${uuid("n")}, 'Product ' || n, n, 1 from generate_series(1, ${PRODUCTS}::integer) as n`.execute(
    owner,
  );
  await sql`insert into write.stock (product_id, available, version) select id, 10, 1 from write.products`
    .execute(owner);
  await sql`
    insert into write.orders (id, customer_id, status, version)
    select ${uuid("n")}, ${uuid("1")}, 'confirmed', 2 from generate_series(1, ${ORDERS}::integer) as n`
    .execute(owner);
  await sql`
    insert into write.order_lines (order_id, line_number, product_id, quantity, unit_price_cents)
    select ${uuid("n")}, line, ${uuid("1 + (n * 3 + line) % 100000")}, 1, 100
    from generate_series(1, ${ORDERS}::integer) as n, generate_series(1, 3) as line`.execute(owner);
  await sql`analyze`.execute(owner);
}, FILL_MS);

describe("a definition that is refreshed by changed keys", () => {
  it.each(byKeys)(
    "of %s is computed for a few keys without reading a table from end to end",
    async (name) => {
      expect(await scannedByKey(test, `read.${name}_source`, LARGE)).toEqual([]);
    },
  );

  it("would be found out if its key were not pushed down", async () => {
    await sql`
      create view read.careless_source as
      select orders.id as order_id, lines.total
      from write.orders join (select order_id, sum(quantity) over (partition by product_id) as total from write.order_lines)
        as lines on lines.order_id = orders.id`.execute(test.owner);
    expect(await scannedByKey(test, "read.careless_source", LARGE)).toEqual(["order_lines"]);
  });
});
