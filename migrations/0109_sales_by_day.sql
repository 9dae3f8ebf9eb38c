-- Read model: the sales by day of the order (UTC). A materialized view, refreshed as a whole.

-- The position before the content: no event missing in the content is taken for handled.
insert into relay.checkpoints (subscription, position)
select 'sales_by_day', coalesce(max(position), 0) from relay.log;

create view read.sales_by_day_source as
select
  (orders.placed_at at time zone 'UTC')::date as day,
  count(distinct orders.id) as orders,
  sum(order_lines.quantity::numeric * order_lines.unit_price_cents) as revenue_cents
from write.orders
join write.order_lines on order_lines.order_id = orders.id
where orders.status in ('confirmed', 'shipped')
group by day;

create materialized view read.sales_by_day as select * from read.sales_by_day_source;
create unique index sales_by_day_key on read.sales_by_day (day);
