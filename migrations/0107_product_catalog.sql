-- Read model: a product with the price and the available pieces, found by parts of the name. Refreshed by changed keys.

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

call read.add_model('product_catalog', key => 'product_id');
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
