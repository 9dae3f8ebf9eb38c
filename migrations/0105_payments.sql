-- Payments: the amount due for an order, and the result of the request. One payment per order, under the order's id.

create table write.payments (
  order_id uuid primary key,
  amount_cents bigint not null,
  -- the customer's means of payment; null when none was given
  token text,
  status text not null,
  -- the amount given back; null while nothing was
  refunded_cents bigint,
  requested_at timestamptz(3) not null default now(),
  -- the time limit for an answer (database time), a minute after the gateway was first asked; null while not asked
  answer_due_at timestamptz(3),
  version integer not null,
  constraint amount_is_not_negative check (amount_cents >= 0),
  constraint payment_status_is_known check (status in ('requested', 'taken', 'declined', 'not asked', 'refunding', 'refunded')),
  constraint no_more_is_refunded_than_paid check (refunded_cents between 0 and amount_cents)
);
comment on constraint amount_is_not_negative on write.payments is 'an amount is a sum of prices';
comment on constraint payment_status_is_known on write.payments is 'PaymentStatus has no other member';
create index payments_for_time_limit_idx on write.payments (requested_at) where status = 'requested';

-- The books of the sample payment gateway, to be replaced by a real gateway: the amount taken for each payment.
create table write.sample_charges (
  payment_id uuid primary key,
  amount_cents bigint not null,
  -- 0 while nothing was given back
  refunded_cents bigint not null default 0
);
comment on constraint sample_charges_pkey on write.sample_charges is 'a second charge is passed over';

call migrations.grant_to('command', 'insert, update on write.payments');
call migrations.grant_to('command', 'insert, update on write.sample_charges');

-- The fulfilment of orders (src/features/fulfilment/process-manager.ts) and the payments begin with the next event.
insert into relay.checkpoints (subscription, position)
select unnest(array['fulfilment', 'payments']), (select coalesce(max(position), 0) from relay.log);
