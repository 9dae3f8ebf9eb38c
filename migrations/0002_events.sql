-- The append-only log of events, the outbox of events without a position, the results of commands with an idempotency
-- key, and the function to write all three.

create table write.events (
  id uuid primary key,
  -- '<category>-<id of the aggregate>', for example 'order-0198...'
  stream text not null,
  -- 1, 2, 3 ... within the stream
  version integer not null,
  type text not null,
  -- the version of the shape of data, for upcasting
  schema_version integer not null default 1,
  data jsonb not null,
  -- the cause: actor, correlationId, causationId
  metadata jsonb not null,
  recorded_at timestamptz not null default now(),
  constraint events_stream_version_key unique (stream, version),
  constraint version_is_positive check (version > 0)
);
-- Tells why no input violates a constraint: without the comment, code has to name the constraint, see CONTRIBUTING.md.
comment on constraint events_pkey on write.events is 'the program makes the id, a UUID';
comment on constraint version_is_positive on write.events is 'write.append counts from 1';

create function write.refuse_change() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise exception 'Cannot % %.%: events are never changed', lower(tg_op), tg_table_schema, tg_table_name
    using errcode = 'restrict_violation';
end;
$$;

create trigger events_are_immutable before update or delete or truncate on write.events
  for each statement execute function write.refuse_change();

-- Rows come and go: by the default settings, vacuum would wait for a fifth of the table's largest size.
create table write.outbox (
  -- The order of arrival. Gaps are normal, and a smaller id may become visible after a larger id.
  id bigint generated always as identity primary key,
  event_id uuid not null,
  recorded_at timestamptz not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
comment on constraint outbox_pkey on write.outbox is 'PostgreSQL makes the id';

create table write.idempotency_keys (
  caller text not null,
  -- the name of the command
  command text not null,
  key text not null,
  -- SHA-256 of id and input, to tell a repeated request from another request with the same key
  fingerprint text not null,
  -- the result of the command: {"id", "version", "lastEventId"}
  result jsonb not null,
  created_at timestamptz not null default now(),
  primary key (caller, command, key)
);
comment on constraint idempotency_keys_pkey on write.idempotency_keys is 'write.store_result raises CQ002';
create index idempotency_keys_for_sweep_idx on write.idempotency_keys (created_at);

-- Appends events to a stream and returns the stream's new version. Runs inside the statement writing the tables: an
-- error undoes the whole statement.
--
-- new_events: [{"id", "type", "data", "metadata"}]; may be empty when only the result is to be stored.
-- idempotency: {"caller", "command", "key", "fingerprint", "result"}, or null.
-- Raises CQ001 when the stream is not at expected_version, CQ002 when the key has a result already, CQ003 when
-- a command with the same key is running; and 23505 on events_stream_version_key when a rival was faster.
create function write.append(stream_name text, expected_version integer, new_events jsonb, idempotency jsonb)
returns integer
language plpgsql security definer set search_path = '' as $$
declare
  current_version integer;
begin
  if idempotency is not null then
    perform write.store_result(idempotency);
  end if;

  select coalesce(max(version), 0) into current_version from write.events where stream = stream_name;
  if current_version <> expected_version then
    raise exception 'Wrong expected version: % (stream: %, version: %)', expected_version, stream_name, current_version
      using errcode = 'CQ001';
  end if;

  with added as (
    insert into write.events (id, stream, version, type, data, metadata)
    select (event ->> 'id')::uuid, stream_name, expected_version + place, event ->> 'type', event -> 'data',
      event -> 'metadata'
    from jsonb_array_elements(new_events) with ordinality as given (event, place)
    returning id, version, recorded_at
  )
  insert into write.outbox (event_id, recorded_at) select id, recorded_at from added order by version;

  return expected_version + jsonb_array_length(new_events);
end;
$$;

-- Stores the result of a command with the idempotency key. The primary key keeps a key from being used twice; the
-- advisory lock only refuses a running duplicate at once, without a wait. Raises CQ002 and CQ003, see write.append.
create function write.store_result(given jsonb) returns void
language plpgsql security definer set search_path = '' as $$
begin
  if not pg_try_advisory_xact_lock(hashtextextended(
    format('%s %s %s', given ->> 'caller', given ->> 'command', given ->> 'key'), 0))
  then
    raise exception 'A command with idempotency key % is running', given ->> 'key' using errcode = 'CQ003';
  end if;

  insert into write.idempotency_keys (caller, command, key, fingerprint, result)
  values (given ->> 'caller', given ->> 'command', given ->> 'key', given ->> 'fingerprint', given -> 'result')
  on conflict do nothing;
  if not found then
    raise exception 'Idempotency key % has a result', given ->> 'key' using errcode = 'CQ002';
  end if;
end;
$$;

-- Deletes results older than 30 days, at most 10,000 at a time; returns the number of deleted results. The results of a
-- handler stay while any event waits longer for the handler (0006_lanes.sql): told again, an event must meet its results.
create function write.sweep_idempotency_keys() returns integer
language plpgsql security definer set search_path = '' as $$
declare
  swept integer;
begin
  delete from write.idempotency_keys where (caller, command, key) in (
    select caller, command, key from write.idempotency_keys
    where created_at < now() - interval '30 days'
      and caller not in (select subscription from relay.lanes where waiting_since < now() - interval '29 days')
    limit 10000
  );
  get diagnostics swept = row_count;
  return swept;
end;
$$;
