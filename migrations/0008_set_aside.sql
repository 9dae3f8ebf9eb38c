-- Events set aside for a read model: the refresh for an event failed while other refreshes of the same read model
-- succeeded. A refresh may be repeated and has no order: the read model goes on without the event.

create table relay.set_aside (
  subscription text not null,
  position bigint not null,
  stream text not null,
  version integer not null,
  -- the time of the next try; null while parked, until the operator decides
  due_at timestamptz,
  attempts integer not null,
  last_error text not null,
  -- the time of the last try
  tried_at timestamptz not null default clock_timestamp(),
  primary key (subscription, position)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
create unique index set_aside_for_event_idx on relay.set_aside (subscription, stream, version);

-- Recomputes the keys of each event separately and moves the checkpoint, after a refresh of all keys has failed. Events
-- that fail are set aside if another event's keys, or a row shown already, can be recomputed. Otherwise the definition is
-- broken, and the last error is raised. Returns false when another relay was faster.
-- events: [{"position", "stream", "version", "keys", "error", "is_newer"}]; error instead of keys for an event without
-- keys to be made from; is_newer for an event of a shape unknown to the program.
create function relay.refresh_each(read_model text, from_position bigint, to_position bigint, events jsonb)
returns boolean
language plpgsql set search_path = '' as $$
declare
  event record;
  problem text;
  failure text;
  any_succeeded boolean := false;
begin
  if not relay.claim(read_model, from_position) then
    return false;
  end if;
  for event in select * from relay.events_to_refresh(events) loop
    problem := coalesce(event.error, relay.try_keys(read_model, event.keys));
    any_succeeded := any_succeeded or problem is null;
    if problem is not null then
      failure := case when event.is_newer then failure else problem end;
      insert into relay.set_aside (subscription, position, stream, version, due_at, attempts, last_error)
      values (read_model, event.position, event.stream, event.version, case when event.is_newer then relay.in_ms(60000) end,
        case when event.is_newer then 0 else 1 end, problem)
      on conflict do nothing;
    end if;
  end loop;
  if failure is not null and not any_succeeded and not relay.can_refresh(read_model) then
    raise exception '%', failure;
  end if;
  update relay.checkpoints set position = to_position, last_error = null where subscription = read_model;
  return true;
end;
$$;

create function relay.events_to_refresh(events jsonb)
returns table ("position" bigint, stream text, version integer, keys text[], error text, is_newer boolean)
language sql set search_path = '' as $$
  select position, stream, version, keys, error, coalesce(is_newer, false)
  from jsonb_to_recordset(events) as given
    ("position" bigint, stream text, version integer, keys text[], error text, is_newer boolean)
  order by position
$$;

-- Recomputes keys; returns the error of a failure caused by the keys or the definition, and null after a success. Raises
-- other errors, caused by the state of the server and by others: the next try may go well.
create function relay.try_keys(read_model text, keys text[]) returns text
language plpgsql set search_path = '' as $$
begin
  perform relay.recompute_keys(read_model, keys);
  return null;
exception
  -- Category names stand for all errors of the category; "others" does not contain a statement over the time limit.
  when transaction_rollback or insufficient_resources or operator_intervention or system_error or lock_not_available
    or read_only_sql_transaction then
    raise;
  when others then
    return sqlerrm;
end;
$$;

-- Returns true if a row shown already can be recomputed: the definition is sound, and a failing event is to blame.
create function relay.can_refresh(read_model text) returns boolean
language plpgsql set search_path = '' as $$
declare
  shown text;
begin
  execute format('select %I::text from read.%I limit 1', relay.key_of(read_model), read_model) into shown;
  return shown is not null and relay.try_keys(read_model, array[shown]) is null;
end;
$$;

-- Tries events set aside again; returns the number of events shown now. Events that fail are parked again, except events
-- of a newer shape: those wait. Returns 0 while another relay refreshes the read model. events: as in refresh_each.
create function relay.refresh_set_aside(read_model text, events jsonb) returns integer
language plpgsql set search_path = '' as $$
declare
  event record;
  problem text;
  number integer := 0;
begin
  perform from relay.checkpoints where subscription = read_model for update skip locked;
  if not found then
    return 0;
  end if;
  for event in select * from relay.events_to_refresh(events) loop
    -- Gone: another relay was faster.
    perform from relay.set_aside
    where subscription = read_model and set_aside.position = event.position for update;
    continue when not found;
    problem := coalesce(event.error, relay.try_keys(read_model, event.keys));
    if problem is null then
      delete from relay.set_aside where subscription = read_model and set_aside.position = event.position;
      number := number + 1;
    else
      update relay.set_aside
      set attempts = attempts + case when event.is_newer then 0 else 1 end, last_error = problem,
        due_at = case when event.is_newer then relay.in_ms(60000) end, tried_at = clock_timestamp()
      where subscription = read_model and set_aside.position = event.position;
    end if;
  end loop;
  return number;
end;
$$;
