-- Parked events: given up by a subscription, until an operator decides.

-- The first event of each parked lane, with the number of events waiting behind, and each event parked for a read model.
create view relay.parked as
select subscription, stream, next_version as version, attempts, last_error, due_at as parked_at,
  last_version - next_version as waiting
from relay.lanes where state = 'parked'
union all
select subscription, stream, version, attempts, last_error, tried_at, 0 from relay.set_aside where due_at is null;

-- Makes parked events due: the event of a stream at a version, or all of a subscription, or all with the same error. Each
-- has another try, and is parked again if the try fails. Returns the number of events.
create function relay.retry_parked(subscription_name text, only_stream text, at_version integer, only_error text)
returns integer
language plpgsql set search_path = '' as $$
declare
  lanes integer;
  others integer;
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
  get diagnostics lanes = row_count;
  update relay.set_aside set due_at = clock_timestamp()
  where subscription = subscription_name and due_at is null and (only_error is null or last_error = only_error)
    and (only_stream is null or (stream = only_stream and version = at_version));
  get diagnostics others = row_count;
  return lanes + others;
end;
$$;

-- Events passed over by the operator's decision, for ever.
create table relay.skipped (
  subscription text not null,
  stream text not null,
  version integer not null,
  position bigint not null,
  attempts integer not null,
  last_error text,
  reason text not null,
  skipped_by text not null,
  skipped_at timestamptz not null default clock_timestamp(),
  primary key (subscription, stream, version),
  constraint skipped_has_a_reason check (reason <> '')
);
create index skipped_for_position_idx on relay.skipped (subscription, position);

-- Passes over a parked event and keeps a record; the events behind in a lane become ready. Returns false when no event is
-- parked at the version.
create function relay.skip_parked(subscription_name text, in_stream text, at_version integer, why text, who text) returns boolean
language plpgsql set search_path = '' as $$
declare
  given_up record;
begin
  perform from relay.lanes where subscription = subscription_name and stream = in_stream for update;
  perform from relay.set_aside where subscription = subscription_name and stream = in_stream and version = at_version for update;
  select parked.*, log.position into given_up
  from relay.parked
  join write.events on events.stream = parked.stream and events.version = parked.version
  join relay.log on log.event_id = events.id
  where parked.subscription = subscription_name and parked.stream = in_stream and parked.version = at_version;
  if not found then
    return false;
  end if;
  insert into relay.skipped (subscription, stream, version, position, attempts, last_error, reason, skipped_by)
  values (subscription_name, in_stream, at_version, given_up.position, given_up.attempts, given_up.last_error, why, who);
  delete from relay.set_aside where subscription = subscription_name and stream = in_stream and version = at_version;
  delete from relay.lanes where subscription = subscription_name and stream = in_stream and last_version = at_version;
  update relay.lanes
  set next_version = at_version + 1, state = 'ready', due_at = clock_timestamp(), attempts = 0, losses = 0, suspect_to = null,
    last_error = null, waiting_since = clock_timestamp()
  where subscription = subscription_name and stream = in_stream;
  return true;
end;
$$;
