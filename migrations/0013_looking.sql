-- The look of a relay: numbers events and returns all work to do, in one round trip.

-- Returns {"lastPosition", "now", "checkpoints": [{"name", "position", "isDue", "setAside"}], "lanes", "events"}.
-- max_events: the number of events to number. handlers and lanes: as in relay.look_for_lanes. setAside: the positions of
-- events set aside and due, at most 100.
-- events: the events after the given position; none when there are more than a hundred, or without a position.
create function relay.look(max_events integer, after_position bigint, handlers jsonb) returns json
language plpgsql set search_path = '' set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  last_position bigint := relay.number_events(max_events);
begin
  -- A statement of its own: the events numbered above are visible.
  return json_build_object(
    'lastPosition', last_position,
    'now', clock_timestamp(),
    'checkpoints', (
      select json_agg(json_build_object(
        'name', subscription,
        'position', position,
        -- Before the beginning of a rest, the clock was set back.
        'isDue', clock_timestamp() not between rests_from and rests_until,
        'setAside', array(
          select set_aside.position from relay.set_aside
          where set_aside.subscription = checkpoints.subscription
            and (due_at <= clock_timestamp() or due_at > clock_timestamp() + relay.longest_rest())
          order by set_aside.position limit 100
        )
      ))
      from relay.checkpoints
    ),
    'lanes', relay.look_for_lanes(handlers),
    'events', (
      select json_agg(json_build_object(
        'position', log.position, 'id', event.id, 'stream', event.stream, 'version', event.version, 'type', event.type,
        'schemaVersion', event.schema_version, 'data', event.data, 'metadata', event.metadata,
        'recordedAt', event.recorded_at
      ) order by log.position)
      from relay.log
      join write.events as event on event.id = log.event_id
      where log.position > after_position and last_position - after_position <= 100
    )
  );
end;
$$;
