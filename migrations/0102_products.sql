-- The catalogue: products and prices.

create table write.products (
  id uuid primary key,
  name text not null,
  price_cents bigint not null,
  version integer not null,
  constraint price_is_not_negative check (price_cents >= 0)
);
comment on constraint price_is_not_negative on write.products is 'prices begin at 0: cents in src/shapes.ts';

call migrations.grant_to('command', 'insert, update on write.products');
