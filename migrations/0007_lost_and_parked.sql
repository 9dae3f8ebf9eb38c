-- Lanes that need care: lost holds, whose relay died, and parked lanes, given up until the operator decides.

-- Marks lanes as lost whose lease has run out, or ends later than a lease can: the clock was set back. Of the events in
-- a lost hold, any may have killed the process. A lane lost once is suspect: tried with a few others, event by event.
-- A lane lost twice is tried alone among suspects, a lane lost three times alone in the process, and a lane lost again
-- is parked. Any outcome of a try clears the lane. Returns the number of lost lanes.
create function relay.reclaim_lanes(subscription_name text, since timestamptz) returns integer
language plpgsql set search_path = '' set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  looked_at timestamptz := clock_timestamp();
  number integer;
begin
  with lost as materialized (
    select lane.stream
    from (values (since, looked_at), (looked_at + 2 * relay.lease(), 'infinity')) as range (low, high)
    cross join lateral (
      select stream from relay.lanes
      where subscription = subscription_name and state = 'in hand' and due_at > low and due_at <= high
      order by due_at limit 1000 for update skip locked
    ) as lane
  )
  update relay.lanes as lane
  set hold = 0, trying_to = null, losses = lane.losses + 1, suspect_to = greatest(suspect_to, trying_to),
    state = (array['suspect', 'alone', 'exclusive', 'parked'])[least(lane.losses + 1, 4)],
    due_at = case when lane.losses in (1, 2) then looked_at + lane.losses * interval '500 milliseconds' else looked_at end,
    last_error = format('Never came back from %s', case lane.losses when 0 then 'a try' else format('%s tries', lane.losses + 1) end)
  where lane.subscription = subscription_name and lane.stream = any(array(select lost.stream from lost));
  get diagnostics number = row_count;
  return number;
end;
$$;

-- Makes parked lanes due: the lane of a stream at a version, or all lanes of a subscription, or all with the same error.
-- Each has another try, and is parked again if the try fails. Returns the number of lanes.
create function relay.retry_parked(subscription_name text, only_stream text, at_version integer, only_error text)
returns integer
language plpgsql set search_path = '' as $$
declare
  number integer;
begin
  with chosen as materialized (
    select lane.stream from relay.lanes as lane
    where subscription = subscription_name and state = 'parked' and (only_error is null or last_error = only_error)
      and (only_stream is null or (lane.stream = only_stream and next_version = at_version))
    order by lane.stream collate "C" for update
  )
  update relay.lanes as lane
  set state = case when lane.losses > 0 then 'exclusive' else 'resting' end, due_at = clock_timestamp()
  where lane.subscription = subscription_name and lane.stream = any(array(select chosen.stream from chosen));
  get diagnostics number = row_count;
  return number;
end;
$$;

-- Events passed over by the operator's decision, for ever.
create table relay.skipped (
  subscription text not null,
  stream text not null,
  version integer not null,
  attempts integer not null,
  last_error text,
  reason text not null,
  skipped_by text not null,
  skipped_at timestamptz not null default clock_timestamp(),
  primary key (subscription, stream, version),
  constraint skipped_has_a_reason check (reason <> '')
);

-- Passes over the first event of a parked lane and keeps a record; the events behind become ready. Returns false when no
-- lane is parked at the version.
create function relay.skip_parked(subscription_name text, in_stream text, at_version integer, why text, who text) returns boolean
language plpgsql set search_path = '' as $$
declare
  lane relay.lanes;
begin
  select * into lane from relay.lanes
  where subscription = subscription_name and stream = in_stream and state = 'parked' and next_version = at_version for update;
  if not found then
    return false;
  end if;
  insert into relay.skipped (subscription, stream, version, attempts, last_error, reason, skipped_by)
  values (subscription_name, in_stream, at_version, lane.attempts, lane.last_error, why, who);
  delete from relay.lanes where subscription = subscription_name and stream = in_stream and last_version = at_version;
  update relay.lanes
  set next_version = at_version + 1, state = 'ready', due_at = clock_timestamp(), attempts = 0, losses = 0, suspect_to = null,
    last_error = null, waiting_since = clock_timestamp()
  where subscription = subscription_name and stream = in_stream;
  return true;
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
