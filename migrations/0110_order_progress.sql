-- Read model: the progress of an order: the reserved pieces and the state of the payment. Refreshed by changed keys.

create index stock_reservations_for_order_idx on write.stock_reservations (order_id);

create view read.order_progress_source as
select
  orders.id as order_id,
  orders.status,
  orders.reason,
  coalesce(sum(stock_reservations.quantity), 0) as reserved_pieces,
  payments.status as payment,
  payments.amount_cents,
  payments.refunded_cents,
  case when payments.status = 'requested' then payments.answer_due_at end as payment_due_at
from write.orders
left join write.payments on payments.order_id = orders.id
left join write.stock_reservations on stock_reservations.order_id = orders.id
group by orders.id, payments.order_id;

call read.add_model('order_progress', key => 'order_id');
