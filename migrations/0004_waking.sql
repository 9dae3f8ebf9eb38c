-- Waking: writers notify a sleeping relay, and relays report the arrival of notifications.

-- Wakes a sleeping relay. NOTIFY takes a lock on the whole server while the transaction commits: a command pays for
-- NOTIFY only when no relay is awake.
create function relay.wake() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if exists (select from relay.state where awake_until <= clock_timestamp()) then
    perform relay.notify('');
  end if;
  return null;
end;
$$;

create trigger outbox_wakes_the_relay after insert on write.outbox
  for each statement execute function relay.wake();

-- Notifies the listening relays; returns false, without sending, when the queue of notifications is over half full.
-- The queue belongs to the whole server. A listening session with an endless transaction fills the queue, and every
-- notifying commit fails (54000). The queue stays full until a session asks for the usage: asking moves the tail.
create function relay.notify(payload text) returns boolean
language plpgsql set search_path = '' as $$
begin
  if pg_notification_queue_usage() > 0.5 then
    return false;
  end if;
  perform pg_notify('relay', payload);
  return true;
end;
$$;

-- A row for every running relay.
create table relay.listeners (
  id uuid primary key,
  -- true when the relay heard its last notification to itself
  listening boolean not null,
  -- the time of the last change of listening
  since timestamptz not null default now(),
  -- the last sign of life, about every ten seconds
  seen_at timestamptz not null default now()
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
