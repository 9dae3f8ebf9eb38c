-- Lost lanes: the relay died, or was away for longer than a lease.

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
