-- Handlers: subscriptions running TypeScript instead of refreshing a view. A handler holds no transaction open during
-- the work, and therefore leases the batch. An event whose handling failed becomes a retry: only the event's stream
-- waits.

-- Events passed by a checkpoint, but not handled yet.
create table relay.retries (
  id bigint generated always as identity primary key,
  subscription text not null constraint retries_subscription_fkey references relay.checkpoints,
  position bigint not null,
  stream text not null,
  -- the number of counted tries; each try is counted before the start
  attempts integer not null,
  -- the number of the last try, counted or not: the holder of an earlier try changes nothing any more
  fence bigint not null default 0,
  -- the time of the next try; during a try, the end of the lease
  due_at timestamptz not null,
  -- null before the first try, during a try, and after a lost try (the relay died or hangs)
  last_error text,
  -- null until the retry is given up; a parked retry waits for the operator
  parked_at timestamptz,
  constraint retries_subscription_position_key unique (subscription, position)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
create index retries_for_stream_idx on relay.retries (subscription, stream, position);
create index retries_for_due_idx on relay.retries (subscription, due_at) where parked_at is null;

create function relay.in_ms(ms integer) returns timestamptz
language sql volatile set search_path = '' as $$ select clock_timestamp() + ms * interval '1 millisecond' $$;

-- Leases the events after from_position, up to to_position. Returns no row when the checkpoint is elsewhere, rests, or is
-- leased to another relay. blocked: the given streams with a retry; new events have to wait behind the retry.
-- An expired lease: the holder died or hangs. All leased events become retries, to be tried one by one, the
-- checkpoint moves on, and fence is null.
create function relay.lease(
  subscription_name text, from_position bigint, to_position bigint, streams text[], lease_ms integer)
returns table (fence bigint, blocked jsonb)
language plpgsql set search_path = '' as $$
declare
  held record;
begin
  select checkpoints.leased_to into held from relay.checkpoints
  where subscription = subscription_name and position = from_position and rests_until <= clock_timestamp()
    and (leased_until is null or leased_until <= clock_timestamp())
  for update skip locked;
  if not found then
    return;
  end if;

  if held.leased_to is not null then
    insert into relay.retries (subscription, position, stream, attempts, due_at)
    select subscription_name, log.position, events.stream, 1, clock_timestamp()
    from relay.log join write.events on events.id = log.event_id
    where log.position > from_position and log.position <= held.leased_to;
    return query
      update relay.checkpoints set position = held.leased_to, leased_to = null, leased_until = null
      where subscription = subscription_name
      returning null::bigint, '[]'::jsonb;
    return;
  end if;

  return query
    update relay.checkpoints
    set fence = checkpoints.fence + 1, leased_to = to_position, leased_until = relay.in_ms(lease_ms)
    where subscription = subscription_name
    returning checkpoints.fence,
      to_jsonb(array(
        select distinct stream from relay.retries where subscription = subscription_name and stream = any(streams)
      ));
end;
$$;

-- Ends a lease: moves the checkpoint to the end of the batch, and stores retries: failed events and the events waiting
-- behind a failed event. retries: [{"position", "stream", "attempts", "due_in_ms", "last_error"}].
-- Returns false when the lease is lost.
create function relay.settle(subscription_name text, lease_fence bigint, retries jsonb) returns boolean
language plpgsql set search_path = '' as $$
begin
  perform from relay.checkpoints
  where subscription = subscription_name and fence = lease_fence and leased_to is not null for update;
  if not found then
    return false;
  end if;
  insert into relay.retries (subscription, position, stream, attempts, due_at, last_error)
  select subscription_name, event.position, event.stream, event.attempts, relay.in_ms(event.due_in_ms), event.last_error
  from jsonb_to_recordset(retries)
    as event (position bigint, stream text, attempts integer, due_in_ms integer, last_error text);
  update relay.checkpoints
  set position = leased_to, leased_to = null, leased_until = null, rests_until = '-infinity', last_error = null
  where subscription = subscription_name;
  return true;
end;
$$;

-- Moves a checkpoint over events of no interest to the subscription. Returns false when the checkpoint is elsewhere, or
-- leased.
create function relay.pass(subscription_name text, from_position bigint, to_position bigint) returns boolean
language plpgsql set search_path = '' as $$
begin
  if not relay.claim(subscription_name, from_position) then
    return false;
  end if;
  update relay.checkpoints set position = to_position, last_error = null
  where subscription = subscription_name and leased_to is null;
  return found;
end;
$$;

-- Leases at most max_events due retries, only the first of each stream, and counts the try. A retry lost during a try
-- may have killed the process: a lost retry is tried alone, and parked after max_attempts tries (at least 2).
create function relay.lease_retries(subscription_name text, max_attempts integer, max_events integer, lease_ms integer)
returns table (id bigint, "position" bigint, attempts integer, fence bigint)
language plpgsql set search_path = '' as $$
begin
  update relay.retries as retry
  set parked_at = clock_timestamp(), last_error = format('Never came back from try %s', retry.attempts)
  where retry.id = any(array(
    select lost.id from relay.retries as lost
    where lost.subscription = subscription_name and lost.parked_at is null and lost.due_at <= clock_timestamp()
      and lost.attempts >= greatest(max_attempts, 2) and lost.last_error is null
    for update skip locked
  ));

  return query
    with due as materialized (
      select retry.id, retry.position, due_at, retry.attempts > 0 and last_error is null as is_lost
      from relay.retries as retry
      where subscription = subscription_name and parked_at is null and due_at <= clock_timestamp()
        and not exists (
          select from relay.retries as earlier
          where earlier.subscription = retry.subscription and earlier.stream = retry.stream
            and earlier.position < retry.position
        )
      order by is_lost desc, due_at, retry.position
      limit max_events for update skip locked
    ),
    ranked as (
      select due.id, row_number() over (order by is_lost desc, due_at, due.position) as place,
        bool_or(is_lost) over () as any_is_lost
      from due
    )
    update relay.retries as retry
    set attempts = retry.attempts + 1, fence = retry.fence + 1, last_error = null, due_at = relay.in_ms(lease_ms)
    from ranked
    where retry.id = ranked.id and (place = 1 or not any_is_lost)
    returning retry.id, retry.position, retry.attempts, retry.fence;
end;
$$;

-- Adds the checkpoint of a publisher, if missing: the publisher begins with the next event. The endpoints of publishers
-- come from the settings: no migration can add the checkpoints. Raises for other names: all other checkpoints belong to
-- the migrations, and the relay may not add any.
create function relay.begin_publishing(subscription_name text) returns void
language plpgsql security definer set search_path = '' as $$
begin
  if subscription_name !~ '^publish_[a-z][a-z0-9_]{0,40}$' then
    raise exception 'Cannot add a checkpoint for %: it is no publisher', subscription_name;
  end if;
  insert into relay.checkpoints (subscription, position) values (subscription_name, relay.last_position())
  on conflict do nothing;
end;
$$;
