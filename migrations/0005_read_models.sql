-- Read models: checkpoints, and the refresh of the content.

-- The progress of each subscription: of read models and, see 0006_lanes.sql, of handlers.
create table relay.checkpoints (
  subscription text primary key,
  -- the last position passed: every event up to the position is handled, or in a lane (0006_lanes.sql); 0 before the first
  position bigint not null,
  -- the beginning and the end of the subscription's rest: before the beginning, the clock was set back, and the rest is over
  rests_from timestamptz not null default '-infinity',
  rests_until timestamptz not null default '-infinity',
  -- null when the last try went well
  last_error text,
  -- the length of the last refresh of a materialized view, in milliseconds
  refresh_ms integer,
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
  perform relay.recompute_keys(read_model, keys);
  update relay.checkpoints set position = to_position, last_error = null where subscription = read_model;
  return true;
end;
$$;

-- Recomputes the keys of several read models at the same position and moves the checkpoints, in the same transaction: one
-- commit for all. Returns the names of the refreshed read models; another relay was faster with the others.
-- stale: [{"name", "keys"}].
create function relay.refresh_together(from_position bigint, to_position bigint, stale jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  claimed text[];
  model record;
begin
  -- A statement of its own: the refreshes see everything committed before the claim.
  with free as (
    select subscription from relay.checkpoints
    where subscription in (select name from jsonb_to_recordset(stale) as given (name text)) and position = from_position
    order by subscription for update skip locked
  )
  select coalesce(array_agg(subscription), '{}') into claimed from free;
  for model in select name, keys from jsonb_to_recordset(stale) as given (name text, keys text[]) where name = any(claimed) loop
    perform relay.recompute_keys(model.name, model.keys);
  end loop;
  update relay.checkpoints set position = to_position, last_error = null where subscription = any(claimed);
  return to_jsonb(claimed);
end;
$$;

-- Recomputes the given keys of a read model from the definition. The caller has claimed the checkpoint.
create function relay.recompute_keys(read_model text, keys text[]) returns void
language plpgsql set search_path = '' as $$
begin
  if cardinality(keys) > 0 then
    execute relay.refresh_statement(read_model) using keys;
  end if;
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

-- Refreshes a materialized view as a whole and moves the checkpoint to the end of the log as read before the refresh, in
-- the same transaction. Afterwards the read model rests for nine times as long as the refresh took. Returns the new
-- position; null when another relay was faster.
create function relay.refresh_whole(read_model text, from_position bigint) returns bigint
language plpgsql security definer set search_path = '' as $$
declare
  started_at timestamptz := clock_timestamp();
  reached bigint;
begin
  if not relay.claim(read_model, from_position) then
    return null;
  end if;
  reached := relay.last_position();
  execute format('refresh materialized view concurrently read.%I', read_model);
  update relay.checkpoints
  set position = reached, last_error = null, refresh_ms = extract(epoch from clock_timestamp() - started_at) * 1000,
    rests_from = clock_timestamp(), rests_until = clock_timestamp() + 9 * (clock_timestamp() - started_at)
  where subscription = read_model;
  return reached;
end;
$$;

-- The failures of the last ten minutes, for operators.
create table relay.failures (
  subscription text not null,
  failed_at timestamptz not null default clock_timestamp(),
  error text not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
create index failures_for_subscription_idx on relay.failures (subscription, failed_at);

-- Stores the failure of a subscription and lets the subscription rest. Does nothing when another relay has moved the
-- checkpoint.
create function relay.record_failure(subscription_name text, at_position bigint, error text, rest_ms integer) returns void
language plpgsql set search_path = '' as $$
begin
  update relay.checkpoints
  set last_error = error, rests_from = clock_timestamp(), rests_until = clock_timestamp() + rest_ms * interval '1 millisecond'
  where subscription = subscription_name and position = at_position;
  if found then
    delete from relay.failures
    where failures.subscription = subscription_name
      and failed_at not between clock_timestamp() - interval '10 minutes' and clock_timestamp();
    insert into relay.failures (subscription, error) values (subscription_name, error);
  end if;
end;
$$;
