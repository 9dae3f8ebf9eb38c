-- Read models: checkpoints, the refresh of the content, the freshness of answers, and the way back after an older copy
-- of the database was restored.

-- The progress of each subscription: of read models and, see 0006_lanes.sql, of handlers.
create table relay.checkpoints (
  subscription text primary key,
  -- the last position passed: every event up to the position is handled, or in a lane (0006_lanes.sql); 0 before the first
  position bigint not null,
  -- the end of the subscription's rest
  rests_until timestamptz not null default '-infinity',
  -- null when the last try went well
  last_error text,
  constraint position_is_not_negative check (position >= 0)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);

-- Claims a checkpoint for the current transaction. Returns false when another relay has or has moved the checkpoint:
-- nothing is left to do. Later statements of the same transaction see everything committed before the claim.
create function relay.claim(subscription_name text, at_position bigint) returns boolean
language plpgsql set search_path = '' as $$
begin
  perform from relay.checkpoints where subscription = subscription_name and position = at_position
    for update skip locked;
  return found;
end;
$$;

-- Recomputes the given keys of a read model and moves the checkpoint, in the same transaction; without keys, only moves
-- the checkpoint. Returns false when another relay was faster.
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

-- Returns the statement to recompute the keys in $1 (text[]) of a read model from the definition.
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

-- Refreshes a materialized view as a whole and moves the checkpoint, in the same transaction. Afterwards the read model
-- rests for nine times as long as the refresh took. Returns false when another relay was faster.
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
  set position = to_position, last_error = null, rests_until = clock_timestamp() + 9 * (clock_timestamp() - started_at)
  where subscription = read_model;
  return true;
end;
$$;

-- The freshness of each read model, for queries without a right to read the relay's tables.
create view read.freshness as
select
  subscription as read_model,
  position,
  -- The time of the oldest missing event, among the next 1,000; the present when none is missing.
  coalesce(
    least(
      (select min(recorded_at)
       from (select recorded_at from relay.log where log.position > checkpoints.position order by position limit 1000)
         as unhandled),
      (select min(recorded_at)
       from (
         select recorded_at from write.outbox where id > (select after_id from relay.outbox_start)
         order by id limit 1000
       ) as unnumbered)
    ),
    -- A streaming replica does not know the commits still to be replayed: the present is the time of the last replayed
    -- commit. Before the first commit since the start: the newest time in the rows, a relay's sign of life or an event.
    case when pg_is_in_recovery() then coalesce(
      pg_last_xact_replay_timestamp(),
      greatest(
        (select max(seen_at) from relay.listeners),
        (select recorded_at from relay.log order by position desc limit 1)
      ),
      'epoch'
    ) else now() end
  ) as as_of
from relay.checkpoints;

-- The position of an event, for queries with a consistency token.
create view read.positions as
select position, event_id from relay.log;

-- Raises CQ004 when a checkpoint is beyond the log, as after a restore of an older copy: events numbered from now on would
-- be taken for handled.
create function relay.refuse_checkpoint_beyond_log() returns void
language plpgsql set search_path = '' as $$
declare
  log_end bigint := relay.last_position();
  beyond record;
begin
  select subscription, position into beyond from relay.checkpoints where position > log_end limit 1;
  if found then
    raise exception 'Cannot relay: the checkpoint of % is at position %, but the log ends at %; %', beyond.subscription,
      beyond.position, log_end, 'was an older copy of the database restored?'
      using errcode = 'CQ004';
  end if;
end;
$$;

-- Sets every checkpoint beyond the log back to the end of the log, and returns the moved checkpoints with both
-- positions. If any was moved, shortens the lanes beyond their streams and recomputes every read model: any read model may
-- show the effect of events no longer in the log.
create function relay.rewind() returns table (subscription text, was_at bigint, ends_at bigint)
language plpgsql security definer set search_path = '' as $$
declare
  log_end bigint;
begin
  -- Nobody numbers events meanwhile.
  perform from relay.state for update;
  log_end := relay.last_position();
  return query
    with beyond as (
      select checkpoints.* from relay.checkpoints where checkpoints.position > log_end for update of checkpoints
    )
    update relay.checkpoints
    set position = log_end, rests_until = '-infinity', last_error = null
    from beyond
    where checkpoints.subscription = beyond.subscription
    returning checkpoints.subscription, beyond.position, checkpoints.position;
  if found then
    with ends as materialized (
      select lanes.subscription, lanes.stream,
        (select coalesce(max(version), 0) from write.events where events.stream = lanes.stream) as last_version
      from relay.lanes order by lanes.subscription collate "C", lanes.stream collate "C" for update
    ),
    gone as (
      delete from relay.lanes using ends
      where lanes.subscription = ends.subscription and lanes.stream = ends.stream and next_version > ends.last_version
    )
    update relay.lanes set last_version = ends.last_version from ends
    where lanes.subscription = ends.subscription and lanes.stream = ends.stream
      and next_version <= ends.last_version and lanes.last_version > ends.last_version;
    perform relay.recompute(checkpoints.subscription) from relay.checkpoints
    where to_regclass(format('read.%I', checkpoints.subscription || '_source')) is not null;
  end if;
end;
$$;

-- Recomputes a read model, a table or a materialized view, as a whole from the definition.
create function relay.recompute(read_model text) returns void
language plpgsql set search_path = '' as $$
declare
  content regclass := format('read.%I', read_model)::regclass;
  columns text;
begin
  if (select relkind from pg_catalog.pg_class where oid = content) = 'm' then
    execute format('refresh materialized view concurrently %s', content);
    return;
  end if;
  select string_agg(quote_ident(attname), ', ' order by attnum) into columns
  from pg_catalog.pg_attribute where attrelid = content and attnum > 0 and not attisdropped;
  execute format('delete from %s', content);
  execute format('insert into %s (%s) select %2$s from read.%I', content, columns, read_model || '_source');
end;
$$;
