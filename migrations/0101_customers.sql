-- Customers: plain rows to create, change and delete; no events, no read model.

create table write.customers (
  id uuid primary key,
  name text not null,
  email text not null,
  -- 1 at first, plus 1 with every change
  version integer not null default 1
);
comment on constraint customers_pkey on write.customers is 'an id given again replaces the customer';

call migrations.grant_to('command', 'insert, update, delete on write.customers');
