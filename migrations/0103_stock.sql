-- The inventory: how much of a product can still be promised, and to which orders the rest is promised.

create table write.stock (
  product_id uuid primary key constraint stock_product_id_fkey references write.products (id),
  -- pieces that no order has reserved
  available bigint not null,
  version integer not null,
  constraint stock_is_not_negative check (available >= 0)
);

create table write.stock_reservations (
  product_id uuid not null constraint stock_reservations_product_id_fkey references write.stock (product_id),
  order_id uuid not null,
  -- pieces; 0 when the reservation was released
  quantity bigint not null,
  primary key (product_id, order_id),
  constraint quantity_is_not_negative check (quantity >= 0)
);

call public.grant_to('command', 'insert, update on write.stock');
call public.grant_to('command', 'insert, update on write.stock_reservations');
