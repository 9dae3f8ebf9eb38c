import type { Sql } from "postgres";

const CUSTOMERS = 1_000;
const PRODUCTS = 1_000;
const LINES_PER_ORDER = 3;

/** Adds orders up to `total`, each with three lines, and their read model; no events, as nobody reads any. */
export async function fillOrders(owner: Sql, total: number): Promise<void> {
  await owner.unsafe(`
    insert into write.customers (id, name, email)
    select ${idOf(1, "number")}, 'Customer ' || number, 'customer' || number || '@example.com'
    from generate_series(1, ${CUSTOMERS}) as number
    on conflict do nothing`);
  await owner.unsafe(`
    insert into write.products (id, name, price_cents, version)
    select ${idOf(2, "number")}, 'Product ' || number, number, 1
    from generate_series(1, ${PRODUCTS}) as number
    on conflict do nothing`);

  const [{ count }] = await owner<[{ count: number }]>`select count(*)::integer as count from write.orders`;
  const added = `generate_series(${count + 1}, ${total}) as number`;
  await owner.unsafe(`
    insert into write.orders (id, customer_id, status, version)
    select ${idOf(3, "number")}, ${idOf(1, `1 + number % ${CUSTOMERS}`)}, 'placed', 1 from ${added}`);
  await owner.unsafe(`
    insert into write.order_lines (order_id, line_number, product_id, quantity, unit_price_cents)
    select ${idOf(3, "number")}, line, ${idOf(2, `1 + (number * 7 + line) % ${PRODUCTS}`)}, line, 100
    from ${added}, generate_series(1, ${LINES_PER_ORDER}) as line`);
  await owner.unsafe(`
    insert into read.order_details
    select * from read.order_details_source on conflict do nothing`);
  await owner.unsafe("vacuum analyze");
}

/** Returns the id of a customer, a product or an order by number, from 1. */
export const [customerId, productId, orderId] = [1, 2, 3].map((kind) => (number: number) =>
  `00000000-0000-7000-800${kind}-${number.toString(16).padStart(12, "0")}`
) as [IdOf, IdOf, IdOf];
type IdOf = (number: number) => string;

/** Returns SQL for the id of a row by number. */
function idOf(kind: number, number: string): string {
  return `('00000000-0000-7000-800${kind}-' || lpad(to_hex(${number}), 12, '0'))::uuid`;
}
