-- Waking: a writer notifies a relay that sleeps, and relays say whether notifications reach them.

-- Wakes a sleeping relay. NOTIFY takes a lock on the whole server while the transaction commits, so a
-- command only pays for it when no relay is awake.
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

-- Notifies the relays that listen; returns false when the queue of notifications is half full, and nothing was sent.
-- The queue belongs to the whole server, and a session that listens but never ends its transaction fills it: then every
-- commit that notifies fails (54000). The queue stays full until a session asks how full it is: asking moves its tail.
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

-- A row for every relay that runs.
create table relay.listeners (
  id uuid primary key,
  -- whether the relay heard the last notification that it sent to itself
  listening boolean not null,
  -- the time since which listening has its value
  since timestamptz not null default now(),
  -- the last sign of life, every ten seconds or so
  seen_at timestamptz not null default now()
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
