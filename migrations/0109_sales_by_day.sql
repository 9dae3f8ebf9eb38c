-- Read model: the sales by day of the order (UTC). A materialized view, refreshed as a whole.

create view read.sales_by_day_source as
select
  (orders.placed_at at time zone 'UTC')::date as day,
  count(distinct orders.id) as orders,
  sum(order_lines.quantity::numeric * order_lines.unit_price_cents) as revenue_cents
from write.orders
join write.order_lines on order_lines.order_id = orders.id
where orders.status in ('confirmed', 'shipped')
group by day;

call read.add_model('sales_by_day', key => 'day', refresh => 'whole');
