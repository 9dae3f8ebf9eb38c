-- The inventory: the pieces of a product still to be promised, and the pieces promised to orders.

create table write.stock (
  product_id uuid primary key constraint stock_product_id_fkey references write.products (id),
  -- pieces not reserved by any order
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
comment on constraint stock_reservations_product_id_fkey on write.stock_reservations is 'a reservation is saved with its stock';
comment on constraint quantity_is_not_negative on write.stock_reservations is 'pieces in src/shapes.ts begin at 1, and 0 are left after a release';

call migrations.grant_to('command', 'insert, update on write.stock');
call migrations.grant_to('command', 'insert, update on write.stock_reservations');
