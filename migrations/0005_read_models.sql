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

-- Adds a read model with the definition read.<model>_source. Makes read.<model>, filled from the definition: a table with
-- the given key, refreshed by changed keys; or, with refresh => 'whole', a materialized view, refreshed as a whole. After
-- read.<model> was dropped, adds the read model once more.
create procedure read.add_model(model text, key text, refresh text default 'changed keys')
language plpgsql set search_path = '' as $$
begin
  -- The position before the content: no event missing in the content is taken for handled.
  insert into relay.checkpoints as existing (subscription, position) values (model, relay.last_position())
  on conflict (subscription) do update
  set position = greatest(existing.position, excluded.position), rests_until = default;
  case refresh
    when 'changed keys' then
      execute format('create table read.%I as select * from read.%I', model, model || '_source');
      execute format('alter table read.%I add primary key (%I)', model, key);
      call migrations.grant_to('relay', format('insert, update, delete on read.%I', model));
      call read.define_refresh(model);
    when 'whole' then
      execute format('create materialized view read.%I as select * from read.%I', model, model || '_source');
      execute format('create unique index %I on read.%I (%I)', model || '_key', model, key);
    else
      raise exception 'Cannot add %: refresh is "changed keys" or "whole", not "%"', model, refresh;
  end case;
end;
$$;

-- Returns the column of the primary key of a read model.
create function relay.key_of(read_model text) returns name
language sql stable set search_path = '' as $$
  select attname from pg_catalog.pg_attribute
  join pg_catalog.pg_index on indrelid = attrelid and indisprimary and attnum = any(indkey)
  where attrelid = format('read.%I', read_model)::regclass
$$;

-- Creates read.refresh_<model>, the function that recomputes the keys in $1 from the definition. A function for each read
-- model: PostgreSQL keeps the plan of a written statement, and would plan a statement made at run time for each batch.
-- The plan suits a few keys in large tables, however small the tables are on the day of the plan.
create procedure read.define_refresh(model text)
language plpgsql set search_path = '' as $$
declare
  key name := relay.key_of(model);
  key_type text;
  columns text;
  excluded text;
begin
  select
    max(format_type(atttypid, atttypmod)) filter (where attname = key),
    string_agg(quote_ident(attname), ', ' order by attnum),
    string_agg('excluded.' || quote_ident(attname), ', ' order by attnum)
  into key_type, columns, excluded
  from pg_catalog.pg_attribute
  where attrelid = format('read.%I', model)::regclass and attnum > 0 and not attisdropped;

  execute format($statement$
create or replace function read.%1$I(text[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $refresh$
begin
  with fresh as materialized (select %2$s from read.%3$I where %4$I = any($1::%5$s[])),
  gone as (
    delete from read.%6$I as stored where %4$I = any($1::%5$s[])
      and not exists (select from fresh where fresh.%4$I = stored.%4$I)
  )
  insert into read.%6$I as stored (%2$s) select %2$s from fresh
  on conflict (%4$I) do update set (%2$s) = row(%7$s) where row(stored.*) is distinct from row(excluded.*);
end;
$refresh$
    $statement$, 'refresh_' || model, columns, model || '_source', key, key_type, model, excluded);
  execute format('revoke execute on function read.%I from public', 'refresh_' || model);
  call migrations.grant_to('relay', format('execute on function read.%I', 'refresh_' || model));
end;
$$;

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
    execute format('select read.%I($1)', 'refresh_' || read_model) using keys;
  end if;
end;
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
