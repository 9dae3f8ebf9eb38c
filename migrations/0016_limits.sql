-- What keeps the rest going when one part is stuck: relays say whether they are notified, a full notification queue
-- stops no command, and limits per role.

-- A row for every relay that runs.
create table relay.listeners (
  id uuid primary key,
  -- whether a notification that it sent to itself was heard
  listening boolean not null,
  -- since when it is so
  since timestamptz not null default now(),
  -- when it last said so, every ten seconds or so
  seen_at timestamptz not null default now()
) with (fillfactor = 50);

call public.grant_to('relay', 'select, insert, update, delete on relay.listeners');

-- Notifies whoever listens for the relay; false when it does not, because the queue of notifications is half full.
-- The queue belongs to the whole server, and a session that listens but never ends its transaction fills it: then every
-- commit that notifies fails (54000). It stays full until somebody asks how full it is; asking moves its tail.
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

call public.grant_to('relay', 'execute on function relay.notify');

create or replace function relay.wake() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if exists (select from relay.state where awake_until <= clock_timestamp()) then
    perform relay.notify('');
  end if;
  return null;
end;
$$;
