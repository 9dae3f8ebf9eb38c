-- Orders and order lines, with the prices of the day of the order.

create table write.orders (
  id uuid primary key,
  customer_id uuid not null constraint orders_customer_id_fkey references write.customers (id),
  status text not null,
  -- the reason of the cancellation; null unless cancelled
  reason text,
  -- the customer's means of payment; null when none was given
  payment_token text,
  -- to the millisecond, as in a JavaScript Date
  placed_at timestamptz(3) not null default now(),
  version integer not null,
  constraint status_is_known check (status in ('placed', 'confirmed', 'shipped', 'cancelled')),
  constraint only_cancelled_orders_have_a_reason check ((status = 'cancelled') = (reason is not null))
);
comment on constraint status_is_known on write.orders is 'OrderStatus has no other member';
comment on constraint only_cancelled_orders_have_a_reason on write.orders is 'evolve sets both at once';
create index orders_for_customer_idx on write.orders (customer_id);

create table write.order_lines (
  order_id uuid not null constraint order_lines_order_id_fkey references write.orders (id),
  -- 1, 2, 3 ... as given by the customer
  line_number integer not null,
  product_id uuid not null constraint order_lines_product_id_fkey references write.products (id),
  quantity integer not null,
  unit_price_cents bigint not null,
  primary key (order_id, line_number),
  constraint order_lines_product_id_key unique (order_id, product_id),
  constraint quantity_is_positive check (quantity > 0)
);
comment on constraint order_lines_order_id_fkey on write.order_lines is 'lines are saved with their order';
comment on constraint order_lines_pkey on write.order_lines is 'save counts the lines';
comment on constraint quantity_is_positive on write.order_lines is 'pieces in src/shapes.ts begin at 1';

call migrations.grant_to('command', 'insert, update on write.orders');
call migrations.grant_to('command', 'insert on write.order_lines');
