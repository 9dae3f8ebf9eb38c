-- Payments: what is to be paid for an order, and what came of asking for it. One payment an order, under its id.

create table write.payments (
  order_id uuid primary key,
  amount_cents bigint not null,
  -- what the customer pays with; null when nothing was given
  token text,
  status text not null,
  -- how much was given back; null while nothing was
  refunded_cents bigint,
  -- Without an answer until then (database time), the order is not waited for any longer.
  answer_due_at timestamptz(3) not null default now() + interval '1 minute',
  version integer not null,
  constraint amount_is_not_negative check (amount_cents >= 0),
  constraint payment_status_is_known check (status in ('requested', 'taken', 'declined', 'refunding', 'refunded')),
  constraint no_more_is_refunded_than_paid check (refunded_cents between 0 and amount_cents)
);
create index payments_for_time_limit_idx on write.payments (answer_due_at) where status = 'requested';

-- The books of the sample payment gateway, which is to be replaced by a real one: what it has taken for which payment.
create table write.sample_charges (
  payment_id uuid primary key,
  amount_cents bigint not null,
  -- 0 while nothing was given back
  refunded_cents bigint not null default 0
);

call public.grant_to('command', 'insert, update on write.payments');
call public.grant_to('command', 'insert, update on write.sample_charges');

-- The fulfilment of orders (src/features/fulfilment/process-manager.ts) and the payments: from the next event on.
insert into relay.checkpoints (subscription, position)
select unnest(array['fulfilment', 'payments']), (select coalesce(max(position), 0) from relay.log);
