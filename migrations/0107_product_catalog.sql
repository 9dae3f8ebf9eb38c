-- Read model: a product with the price and the available pieces, found by parts of the name. Refreshed by changed keys.

-- The position before the content: no event missing in the content is taken for handled.
insert into relay.checkpoints (subscription, position)
select 'product_catalog', coalesce(max(position), 0) from relay.log;

call migrations.add_extension('pg_trgm');

create view read.product_catalog_source as
select
  products.id as product_id,
  products.name,
  products.price_cents,
  coalesce(stock.available, 0) as available,
  products.version
from write.products
left join write.stock on stock.product_id = products.id;

create table read.product_catalog as select * from read.product_catalog_source;
alter table read.product_catalog add primary key (product_id);
create index product_catalog_for_name_idx on read.product_catalog (name, product_id);
-- A collation of its own: letters beyond ASCII are found in any case, whatever the locale of the database.
do $$
begin
  execute format('create index product_catalog_for_search_idx on read.product_catalog using gin (name collate "und-x-icu" %s.gin_trgm_ops)',
    migrations.schema_of('pg_trgm'));
end;
$$;
-- The beginning of a name, in any case: for searches too short for the index above.
create index product_catalog_for_prefix_idx on read.product_catalog (lower(name collate "und-x-icu") text_pattern_ops);

call migrations.grant_to('relay', 'insert, update, delete on read.product_catalog');
