-- Read model: an order with all lines, ready to be shown. Refreshed by changed keys.

create view read.order_details_source as
select
  orders.id as order_id,
  orders.customer_id,
  orders.status,
  orders.reason,
  sum(order_lines.quantity::numeric * order_lines.unit_price_cents) as total_cents,
  jsonb_agg(
    jsonb_build_object(
      'productId', products.id,
      'name', products.name,
      'quantity', order_lines.quantity,
      -- as in src/read/exact.ts: a number that JavaScript can hold, or text
      'unitPriceCents', case when order_lines.unit_price_cents between -9007199254740991 and 9007199254740991
        then to_jsonb(order_lines.unit_price_cents) else to_jsonb(order_lines.unit_price_cents::text) end
    ) order by order_lines.line_number
  ) as lines,
  orders.placed_at,
  orders.version
from write.orders
join write.order_lines on order_lines.order_id = orders.id
join write.products on products.id = order_lines.product_id
group by orders.id;

call read.add_model('order_details', key => 'order_id');
create index order_details_for_newest_idx on read.order_details (placed_at desc, order_id desc);
create index order_details_for_customer_idx on read.order_details (customer_id, placed_at desc, order_id desc);
create index order_details_for_status_idx on read.order_details (status, placed_at desc, order_id desc);
