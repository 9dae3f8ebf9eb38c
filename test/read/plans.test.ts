import { sql } from "kysely";
import { beforeAll, describe, expect, it } from "vitest";
import { readModels } from "../../src/app.ts";
import { useTestDatabase } from "../support/database.ts";

const test = useTestDatabase();

const ORDERS = 100_000;
const PRODUCTS = 100_000;
const byKeys = readModels.filter(({ refresh }) => refresh === "changed keys").map(({ name }) => name);

beforeAll(async () => {
  await sql`insert into write.customers (id, name, email) values (${uuid("1")}, 'Ada', 'ada@example.com')`
    .execute(test.owner);
  await sql`
    insert into write.products (id, name, price_cents, version)
    select ${uuid("n")}, 'Product ' || n, n, 1 from generate_series(1, ${PRODUCTS}::integer) as n`.execute(
    test.owner,
  );
  await sql`insert into write.stock (product_id, available, version) select id, 10, 1 from write.products`
    .execute(test.owner);
  await sql`
    insert into write.orders (id, customer_id, status, version)
    select ${uuid("n")}, ${uuid("1")}, 'confirmed', 2 from generate_series(1, ${ORDERS}::integer) as n`
    .execute(test.owner);
  await sql`
    insert into write.order_lines (order_id, line_number, product_id, quantity, unit_price_cents)
    select ${uuid("n")}, line, ${uuid("1 + (n * 3 + line) % 100000")}, 1, 100
    from generate_series(1, ${ORDERS}::integer) as n, generate_series(1, 3) as line`.execute(test.owner);
  await sql`analyze`.execute(test.owner);
}, 60_000);

describe("a definition that is refreshed by changed keys", () => {
  it.each(byKeys)(
    "of %s is computed for a few keys without reading a table from end to end",
    async (name) => {
      expect(await scannedByKey(`read.${name}_source`)).toEqual([]);
    },
  );

  it("would be found out if its key were not pushed down", async () => {
    await sql`
      create view read.careless_source as
      select orders.id as order_id, lines.total
      from write.orders join (select order_id, sum(quantity) over (partition by product_id) as total from write.order_lines)
        as lines on lines.order_id = orders.id`.execute(test.owner);
    expect(await scannedByKey("read.careless_source")).toEqual(["order_lines"]);
  });
});

/** Returns the large tables scanned sequentially in a query for a hundred keys. */
async function scannedByKey(view: string): Promise<string[]> {
  const { rows: [column] } = await sql<{ name: string }>`
    select attname as name from pg_attribute where attrelid = ${view}::regclass and attnum = 1`.execute(
    test.owner,
  );
  const { rows: keys } = await sql<{ key: string }>`select ${
    uuid("n")
  } as key from generate_series(1, 100) as n`.execute(test.owner);
  const literal = `{${keys.map(({ key }) => key).join(",")}}`;
  const { rows } = await sql<{ "QUERY PLAN": unknown }>`
    explain (format json) select * from ${sql.table(view)}
    where ${sql.ref(column!.name)} = any(${sql.lit(literal)}::uuid[])`.execute(test.owner);
  const plan = JSON.stringify(rows[0]!["QUERY PLAN"]);
  return [...plan.matchAll(/"Node Type":"Seq Scan"[^{}]*?"Relation Name":"(\w+)"/g)].map(([, table]) =>
    table!
  )
    .filter((table) => ["orders", "order_lines", "products", "stock"].includes(table));
}

/** Returns SQL for a UUID made of a number. */
function uuid(number: string) {
  return sql.raw(`lpad(to_hex(${number}), 32, '0')::uuid`);
}
