-- The relay's log, which gives every event its position, and how far each subscription has come.

create table relay.state (
  only_row boolean primary key default true constraint there_is_one_row check (only_row),
  -- Until then (database time) a relay is working, and writers need not wake one.
  awake_until timestamptz not null default '-infinity'
);
insert into relay.state default values;

create table relay.log (
  -- 1, 2, 3 … without a gap
  position bigint primary key,
  event_id uuid not null unique,
  recorded_at timestamptz not null
);

create table relay.checkpoints (
  subscription text primary key,
  -- the position of the last event that was handled; 0 before the first
  position bigint not null,
  -- not to be worked on before then
  due_at timestamptz not null default '-infinity',
  -- null when the last try went well
  last_error text,
  constraint position_is_not_negative check (position >= 0)
) with (fillfactor = 50);

-- Raises CQ004 when a checkpoint is beyond the log, as after a restore of an older copy: what is numbered next would
-- be taken for handled.
create function relay.refuse_checkpoint_beyond_log() returns void
language plpgsql set search_path = '' as $$
declare
  beyond record;
begin
  select checkpoints.subscription, checkpoints.position, log.last into beyond
  from relay.checkpoints, (select coalesce(max(position), 0) as last from relay.log) as log
  where checkpoints.position > log.last limit 1;
  if found then
    raise exception 'Cannot relay: the checkpoint of % is at position %, but the log ends at %; %', beyond.subscription,
      beyond.position, beyond.last, 'was an older copy of the database restored?'
      using errcode = 'CQ004';
  end if;
end;
$$;

-- Gives the events of the outbox the next positions, in outbox order, and returns the last position. With an empty
-- outbox it takes no lock and writes nothing.
-- Only one transaction numbers at a time, and it takes its snapshot after it has the lock: so an event never gets a
-- position before an earlier event of its stream. That needs READ COMMITTED. Raises CQ004, see above.
-- The outbox is almost empty but, until the next vacuum, full of deleted rows: only an index finds its way in it.
create function relay.number_events(max_events integer) returns bigint
language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
  last_position bigint;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'Cannot number events at isolation level %: it needs read committed',
      current_setting('transaction_isolation');
  end if;
  perform relay.refuse_checkpoint_beyond_log();

  if exists (select from write.outbox) then
    perform from relay.state for update;
    select coalesce(max(position), 0) into last_position from relay.log;
    with taken as (
      delete from write.outbox where id = any (array(select id from write.outbox order by id limit max_events))
      returning id, event_id, recorded_at
    )
    insert into relay.log (position, event_id, recorded_at)
    select last_position + row_number() over (order by id), event_id, recorded_at from taken;
  end if;

  return (select coalesce(max(position), 0) from relay.log);
end;
$$;

-- Claims a checkpoint for this transaction. False when another relay has it or has moved it on: then there
-- is nothing to do. What follows in the same transaction sees everything committed before the claim.
create function relay.claim(subscription_name text, at_position bigint) returns boolean
language plpgsql set search_path = '' as $$
begin
  perform from relay.checkpoints where subscription = subscription_name and position = at_position
    for update skip locked;
  return found;
end;
$$;

-- The statement that recomputes the keys in $1 (text[]) of a read model from its definition.
create function relay.refresh_statement(read_model text) returns text
language sql stable set search_path = '' as $$
  select format($statement$
    with fresh as materialized (select %1$s from read.%2$I where %3$I = any($1::%4$s[])),
    gone as (
      delete from read.%5$I as stored where %3$I = any($1::%4$s[])
        and not exists (select from fresh where fresh.%3$I = stored.%3$I)
    )
    insert into read.%5$I as stored (%1$s) select %1$s from fresh
    on conflict (%3$I) do update set (%1$s) = row(%6$s) where row(stored.*) is distinct from row(excluded.*)
    $statement$,
    string_agg(quote_ident(attname), ', ' order by attnum),
    read_model || '_source',
    max(quote_ident(attname)) filter (where attnum = any(indkey)),
    max(format_type(atttypid, atttypmod)) filter (where attnum = any(indkey)),
    read_model,
    string_agg('excluded.' || quote_ident(attname), ', ' order by attnum))
  from pg_catalog.pg_attribute
  join pg_catalog.pg_index on indrelid = attrelid and indisprimary
  where attrelid = format('read.%I', read_model)::regclass and attnum > 0 and not attisdropped
$$;

-- Recomputes the given keys of a read model and moves its checkpoint, in one transaction; with no keys it
-- only moves the checkpoint. False when another relay was faster.
create function relay.refresh_keys(read_model text, from_position bigint, to_position bigint, keys text[])
returns boolean
language plpgsql set search_path = '' as $$
begin
  if not relay.claim(read_model, from_position) then
    return false;
  end if;
  if cardinality(keys) > 0 then
    execute relay.refresh_statement(read_model) using keys;
  end if;
  update relay.checkpoints set position = to_position, last_error = null where subscription = read_model;
  return true;
end;
$$;

-- Refreshes a materialized view as a whole and moves its checkpoint, in one transaction. It is due again
-- after nine times as long as it took. False when another relay was faster.
create function relay.refresh_whole(read_model text, from_position bigint, to_position bigint) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  started_at timestamptz := clock_timestamp();
begin
  if not relay.claim(read_model, from_position) then
    return false;
  end if;
  execute format('refresh materialized view concurrently read.%I', read_model);
  update relay.checkpoints
  set position = to_position, last_error = null, due_at = clock_timestamp() + 9 * (clock_timestamp() - started_at)
  where subscription = read_model;
  return true;
end;
$$;

-- Wakes a sleeping relay. NOTIFY takes a lock on the whole server while the transaction commits, so a
-- command only pays for it when nobody is awake.
create function relay.wake() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if exists (select from relay.state where awake_until <= clock_timestamp()) then
    perform pg_notify('relay', '');
  end if;
  return null;
end;
$$;

create trigger outbox_wakes_the_relay after insert on write.outbox
  for each statement execute function relay.wake();

call public.grant_to('relay', 'select, update on relay.state');
call public.grant_to('relay', 'select, insert on relay.log');
call public.grant_to('relay', 'select, update on relay.checkpoints');
call public.grant_to('relay', 'execute on all functions in schema relay');
