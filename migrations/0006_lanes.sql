-- Lanes: the open work of handlers. A handler is a subscription running TypeScript instead of refreshing a view, and
-- holds no transaction open during the work. A lane is a stream with events still to handle; only the lane's stream
-- waits for the lane. A lane without work is deleted.

create table relay.lanes (
  subscription text not null,
  stream text not null,
  -- the first version of the stream not known to be handled
  next_version integer not null,
  -- the last version handed out
  last_version integer not null,
  -- resting: the last try failed. suspect, alone, exclusive: once, twice, more often a relay never came back from a try
  state text not null,
  -- ready: since when; in hand: the end of the lease; parked: since when; otherwise the time of the next try
  due_at timestamptz not null,
  -- the number of the present hold; 0 when in nobody's hand. An earlier holder changes nothing any more.
  hold bigint not null default 0,
  -- the last version to be tried under the present hold; null when in nobody's hand
  trying_to integer,
  -- the counted failures of next_version
  attempts integer not null default 0,
  -- the holds in a row without an outcome
  losses integer not null default 0,
  -- versions up to here were in a lost hold, and are tried each alone; null when none was
  suspect_to integer,
  -- the time from which next_version has waited
  waiting_since timestamptz not null,
  last_error text,
  primary key (subscription, stream),
  constraint lane_has_work check (next_version <= last_version),
  constraint lane_state_is_known
    check (state in ('ready', 'in hand', 'resting', 'suspect', 'alone', 'exclusive', 'parked')),
  constraint lane_in_hand_has_a_hold check ((state = 'in hand') = (hold <> 0))
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_threshold = 2147483647);
-- Partial: no plan for a lane by the key can use the index. On an empty table both indexes look alike, and plans stay.
create index lanes_for_due_idx on relay.lanes (subscription, state, due_at) where state <> 'parked';
create index lanes_for_parked_idx on relay.lanes (subscription, due_at) where state = 'parked';

-- A sequence and not a column of the lane: a lane deleted and made anew must not accept the result of an old hold.
create sequence relay.holds;

-- The time after which a lease runs out. The holder renews four times as often (src/relay/handlers/leases.ts).
create function relay.lease() returns interval
language sql immutable set search_path = '' as $$ select interval '3 seconds' $$;

-- Longer than any rest after a failure: a due time further ahead means a clock set back.
create function relay.longest_rest() returns interval
language sql immutable set search_path = '' as $$ select interval '61 seconds' $$;

create function relay.in_ms(ms integer) returns timestamptz
language sql volatile set search_path = '' as $$ select clock_timestamp() + ms * interval '1 millisecond' $$;

-- The types of events that handlers react to, a row for every known set; {*} for every type. The newest set counts: a
-- program with an older set would pass over events meant for newer programs, and hands nothing out.
create table relay.handled_types (
  id bigint generated always as identity primary key,
  subscription text not null,
  types text[] not null,
  seen_at timestamptz not null default clock_timestamp(),
  constraint handled_types_subscription_types_key unique (subscription, types)
);

-- Notes the types a running program reacts to, and returns true if no newer set is in use. After a minute without
-- a program with the newest set, as after a rollback, the older set becomes the newest.
create function relay.note_types(subscription_name text, own_types text[]) returns boolean
language plpgsql set search_path = '' as $$
declare
  newest relay.handled_types;
begin
  select * into newest from relay.handled_types where subscription = subscription_name order by id desc limit 1;
  if newest.types = own_types then
    if newest.seen_at < clock_timestamp() - interval '10 seconds' then
      update relay.handled_types set seen_at = clock_timestamp() where id = newest.id;
    end if;
    return true;
  end if;
  if newest.seen_at > clock_timestamp() - interval '1 minute' and exists (
    select from relay.handled_types where subscription = subscription_name and types = own_types)
  then
    return false;
  end if;
  delete from relay.handled_types where subscription = subscription_name and types = own_types;
  insert into relay.handled_types (subscription, types) values (subscription_name, own_types) on conflict do nothing;
  return true;
end;
$$;

create function relay.newest_types(subscription_name text) returns text[]
language sql stable set search_path = '' as $$
  select types from relay.handled_types where subscription = subscription_name order by id desc limit 1
$$;

-- Hands out the events after from_position, up to to_position: moves the checkpoint, and notes the streams with work.
-- work: [{"stream", "first", "last", "since"}], a stream only once. The new lanes are leased to the caller.
-- Returns the new hold, the given streams with an earlier lane (not the caller's now), and the checkpoint. hold is null when
-- the checkpoint is elsewhere, another relay hands out, or newer programs react to other types.
create function relay.hand_out(
  subscription_name text, own_types text[], from_position bigint, to_position bigint, work jsonb)
returns table (hold bigint, waiting jsonb, "position" bigint)
language plpgsql set search_path = '' as $$
declare
  new_hold bigint;
begin
  if relay.newest_types(subscription_name) is distinct from own_types
    or not relay.claim(subscription_name, from_position)
  then
    select checkpoints.position into "position" from relay.checkpoints where subscription = subscription_name;
    return next;
    return;
  end if;
  new_hold := nextval('relay.holds');
  if work <> '[]' then
    with handed as (
      insert into relay.lanes as lane
        (subscription, stream, next_version, last_version, state, due_at, hold, trying_to, waiting_since)
      select subscription_name, given.stream, first, last, 'in hand', clock_timestamp() + relay.lease(), new_hold, last, since
      from jsonb_to_recordset(work) as given (stream text, first integer, last integer, since timestamptz)
      order by given.stream collate "C"
      on conflict on constraint lanes_pkey do update set last_version = greatest(lane.last_version, excluded.last_version)
      returning lane.stream, lane.hold
    )
    select jsonb_agg(handed.stream) into waiting from handed where handed.hold <> new_hold;
  end if;
  -- An error with a rest came from an earlier hand_out; an error without a rest tells of an outage of the handler.
  update relay.checkpoints
  set position = to_position, rests_until = '-infinity', last_error = case when rests_until = '-infinity' then last_error end
  where subscription = subscription_name;
  hold := new_hold;
  "position" := to_position;
  return next;
end;
$$;

-- Returns the states with a lane to take: ready, or due. "in hand" means: a lease has run out. since: no lane became due
-- earlier; under an old snapshot, a search from the beginning walks over the index entries of all former lanes.
create function relay.due_states(subscription_name text, since timestamptz) returns text[]
language sql volatile set search_path = '' as $$
  select array(
    select state
    from (values
      ('ready', 'infinity'::timestamptz, 'infinity'::timestamptz),
      ('resting', clock_timestamp(), clock_timestamp() + relay.longest_rest()),
      ('suspect', clock_timestamp(), clock_timestamp() + relay.longest_rest()),
      ('alone', clock_timestamp(), clock_timestamp() + relay.longest_rest()),
      ('exclusive', clock_timestamp(), clock_timestamp() + relay.longest_rest()),
      ('in hand', clock_timestamp(), clock_timestamp() + 2 * relay.lease())
    ) as looked_for (state, until, far)
    where exists (
      select from relay.lanes
      where subscription = subscription_name and lanes.state = looked_for.state and lanes.state <> 'parked'
        and due_at > since and due_at <= until
    ) or exists (
      select from relay.lanes
      where subscription = subscription_name and lanes.state = looked_for.state and lanes.state <> 'parked' and due_at > far
    )
  )
$$;

-- Takes due lanes. wanted: the number of lanes for each state, for example {"ready": 8, "resting": 4}. Returns
-- a row for each event up to trying_to of the types that the newest programs react to, and a row without an event for a
-- lane without such events. At most max_events events of a lane; only the first event of a suspect.
create function relay.take_lanes(subscription_name text, own_types text[], wanted jsonb, since timestamptz, max_events integer)
returns table (
  stream text, hold bigint, next_version integer, trying_to integer, attempts integer, was text,
  "position" bigint, id uuid, version integer, type text, schema_version integer, data jsonb, metadata jsonb,
  recorded_at timestamptz)
language plpgsql set search_path = '' set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  started_at timestamptz := clock_timestamp();
  newest_types text[] := relay.newest_types(subscription_name);
  new_hold bigint := nextval('relay.holds');
  taken jsonb;
begin
  with due as materialized (
    select lane.stream
    from jsonb_each_text(wanted) as places (state, number)
    cross join (values (since, false), (started_at + relay.longest_rest(), true)) as range (low, is_far)
    cross join lateral (
      select lanes.stream from relay.lanes
      where subscription = subscription_name and lanes.state = places.state and lanes.state <> 'parked'
        and due_at > low and due_at <= case when is_far or places.state = 'ready' then 'infinity' else started_at end
      order by due_at limit number::integer for update skip locked
    ) as lane
  ),
  held as (
    update relay.lanes as lane
    set state = 'in hand', hold = new_hold, due_at = started_at + relay.lease(),
      trying_to = case when lane.next_version <= lane.suspect_to then lane.next_version
        else least(lane.last_version, lane.next_version + max_events - 1) end
    where lane.subscription = subscription_name and lane.stream = any(array(select due.stream from due))
    returning lane.stream, lane.next_version, lane.trying_to, lane.attempts,
      case when lane.losses > 2 then 'exclusive' when lane.losses = 2 then 'alone'
        when lane.next_version <= lane.suspect_to then 'suspect' when lane.last_error is not null then 'resting' else 'ready' end as was
  )
  select jsonb_agg(to_jsonb(held)) into taken from held;
  -- A statement of its own: every event handed out before the lane was locked is visible.
  return query
    select lane.stream, new_hold, lane.next_version, lane.trying_to, lane.attempts, lane.was,
      event.position, event.id, event.version, event.type, event.schema_version, event.data, event.metadata, event.recorded_at
    from jsonb_to_recordset(taken) as lane
      (stream text, next_version integer, trying_to integer, attempts integer, was text)
    left join lateral (
      select log.position, events.* from write.events join relay.log on log.event_id = events.id
      where events.stream = lane.stream and events.version between lane.next_version and lane.trying_to
        and ('*' = any(newest_types || own_types) or events.type = any(newest_types || own_types))
      order by events.version limit max_events
    ) as event on true;
end;
$$;

-- Stores results of held lanes: [{"subscription", "stream", "hold", "to"}], and either "keep": true to renew the lease,
-- or "error", "attempts", "rests_ms" and "park" after a failure, or "rests_ms" to leave the lane alone for a while.
-- Returns the lanes with work left; a lane without a row is done, or the hold is lost.
-- Row by row, through the primary key and in the order of hand_out: two calls never wait for each other in a circle.
create function relay.settle_lanes(results jsonb)
returns table (subscription text, stream text, state text)
language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
  result record;
begin
  for result in
    select * from jsonb_to_recordset(results) as given (subscription text, stream text, hold bigint, "to" integer,
      keep boolean, error text, attempts integer, rests_ms integer, park boolean)
    order by given.subscription collate "C", given.stream collate "C"
  loop
    -- Checked again after any wait for hand_out: work handed out meanwhile keeps the lane.
    delete from relay.lanes as lane
    where lane.subscription = result.subscription and lane.stream = result.stream and lane.hold = result.hold
      and lane.last_version <= result."to" and result.keep is not true and result.error is null;
    continue when found;
    update relay.lanes as lane
    set next_version = least(greatest(next_version, result."to" + 1), last_version),
      state = case when result.keep then 'in hand' when result.park then 'parked' when result.rests_ms is not null then 'resting'
        when result."to" < next_version and lane.losses > 0 then (array['suspect', 'alone', 'exclusive'])[least(lane.losses, 3)]
        when result."to" < suspect_to then 'suspect' else 'ready' end,
      due_at = case when result.keep then clock_timestamp() + relay.lease()
        when result.park then clock_timestamp() else relay.in_ms(coalesce(result.rests_ms, 0)) end,
      hold = case when result.keep then lane.hold else 0 end,
      trying_to = case when result.keep then trying_to end,
      attempts = coalesce(result.attempts, case when result."to" >= next_version then 0 else lane.attempts end),
      losses = case when result."to" < next_version and result.error is null then lane.losses else 0 end,
      suspect_to = case when result."to" < suspect_to then suspect_to end,
      waiting_since = case when result."to" >= next_version then clock_timestamp() else waiting_since end,
      last_error = coalesce(result.error, case when result."to" < next_version then lane.last_error end)
    where lane.subscription = result.subscription and lane.stream = result.stream and lane.hold = result.hold
    returning lane.subscription, lane.stream, lane.state into subscription, stream, state;
    if found then
      return next;
    end if;
  end loop;
end;
$$;

-- Returns the work of handlers: [{"name", "isNewest", "dueStates", "isOpen"}], and notes the types of the running
-- program. handlers: [{"name", "types", "since"}], since as in relay.due_states, or null.
create function relay.look_for_lanes(handlers jsonb) returns jsonb
language sql volatile set search_path = '' as $$
  select jsonb_agg(jsonb_build_object(
    'name', name,
    'isNewest', relay.note_types(name, types),
    'dueStates', relay.due_states(name, coalesce(since, '-infinity')),
    'isOpen', exists (select from relay.lanes where subscription = name and state <> 'parked')
  ))
  from jsonb_to_recordset(handlers) as handler (name text, types text[], since timestamptz)
$$;
