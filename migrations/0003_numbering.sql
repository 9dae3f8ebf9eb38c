-- Numbering: every event gets a position, 1, 2, 3 ... without a gap, as events become visible.

-- A single row. Numbering locks the row: only one transaction numbers at a time.
create table relay.state (
  only_row boolean primary key default true constraint there_is_one_row check (only_row),
  -- A relay is awake until the given time (database time), and writers wake no relay before: see 0004_waking.sql.
  awake_until timestamptz not null default '-infinity'
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
insert into relay.state default values;

create table relay.log (
  -- 1, 2, 3 ... without a gap
  position bigint primary key,
  event_id uuid not null unique,
  recorded_at timestamptz not null
);

-- A single row: the beginning of the outbox. Under an old snapshot (a backup, a forgotten transaction), rows taken out
-- of the outbox stay in the table, and a search for the first row left walks over all dead rows: in every drain, in
-- every query. Therefore the relay remembers an id: up to the id, nothing is left and nothing can appear any more.
create table relay.outbox_start (
  only_row boolean primary key default true constraint there_is_one_outbox check (only_row),
  after_id bigint not null default 0,
  -- the next value of after_id: the last id given at the time of the choice; null while not chosen
  next_id bigint,
  -- a transaction later than every transaction with an outbox id up to next_id; null while not noted
  next_xid xid8,
  -- the earliest time to move the beginning again
  rests_until timestamptz not null default '-infinity'
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
insert into relay.outbox_start default values;

-- Gives at most max_events events of the outbox the next positions, in outbox order, and returns the last position.
-- With an empty outbox, takes no lock and writes nothing.
-- The snapshot for reading the outbox is taken after the lock: an event never gets a position before an earlier event
-- of the same stream. Raises CQ004, see relay.refuse_checkpoint_beyond_log.
-- The outbox is almost empty but, until the next vacuum, full of deleted rows: only an index is fast.
create function relay.number_events(max_events integer) returns bigint
language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
  start relay.outbox_start;
begin
  perform relay.refuse_isolation_level();
  perform relay.refuse_checkpoint_beyond_log();
  start := relay.read_outbox_start();
  if exists (select from write.outbox where id > start.after_id) then
    perform from relay.state for update;
    perform relay.move_to_log(start.after_id, max_events);
    perform relay.move_outbox_start(start.next_id);
  end if;
  return relay.last_position();
end;
$$;

-- Raises unless read committed: a snapshot older than the lock would miss events seen by the holder before.
create function relay.refuse_isolation_level() returns void
language plpgsql set search_path = '' as $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'Cannot number events at isolation level %: it needs read committed',
      current_setting('transaction_isolation');
  end if;
end;
$$;

-- Returns the last position in the log; 0 before the first.
create function relay.last_position() returns bigint
language sql stable set search_path = '' as $$ select coalesce(max(position), 0) from relay.log $$;

-- Moves the first events of the outbox to the end of the log. The caller holds the lock on relay.state.
create function relay.move_to_log(after_id bigint, max_events integer) returns void
language sql set search_path = '' set enable_seqscan = off as $$
  with taken as (
    delete from write.outbox where id = any (
      array(select id from write.outbox where id > after_id order by id limit max_events)
    )
    returning id, event_id, recorded_at
  )
  insert into relay.log (position, event_id, recorded_at)
  select (select relay.last_position()) + row_number() over (order by id), event_id, recorded_at from taken
$$;

-- Returns the beginning of the outbox. next_id is null when the current transaction had a number (xid) before the look.
-- Sets the beginning back to 0 if the sequence was set back, as after a failover without copied sequences, or if
-- next_xid is from the future, as in a restored copy.
create function relay.read_outbox_start() returns relay.outbox_start
language plpgsql set search_path = '' as $$
declare
  had_number boolean := pg_current_xact_id_if_assigned() is not null;
  start relay.outbox_start;
begin
  select * into start from relay.outbox_start;
  if greatest(start.after_id, start.next_id) > relay.last_outbox_id()
    or start.next_xid >= pg_snapshot_xmax(pg_current_snapshot())
  then
    update relay.outbox_start set after_id = 0, next_id = null, next_xid = null returning * into start;
  end if;
  if had_number then
    start.next_id := null;
  end if;
  return start;
end;
$$;

-- Returns the last outbox id given to any transaction.
create function relay.last_outbox_id() returns bigint
language sql set search_path = '' as $$
  select case when is_called then last_value else last_value - 1 end from write.outbox_id_seq
$$;

-- Moves the beginning, once a second at most, in three steps: one step in each numbering transaction. The caller holds
-- the lock on relay.state. seen_id: the value of next_id before the caller's transaction had a number.
create function relay.move_outbox_start(seen_id bigint) returns void
language plpgsql set search_path = '' as $$
declare
  start relay.outbox_start;
begin
  select * into start from relay.outbox_start;
  if start.next_id is null then
    perform relay.choose_outbox_start();
  elsif start.next_xid is null then
    perform relay.date_outbox_start(seen_id);
  else
    perform relay.reach_outbox_start();
  end if;
end;
$$;

-- Step 1: chooses the last id given to any transaction. Every transaction has a number (xid) before the first id.
create function relay.choose_outbox_start() returns void
language sql set search_path = '' as $$
  update relay.outbox_start set next_id = relay.last_outbox_id() where rests_until <= clock_timestamp()
$$;

-- Step 2: notes the current transaction, if numbered after the commit of step 1: every transaction with an id up to
-- next_id is earlier.
create function relay.date_outbox_start(seen_id bigint) returns void
language sql set search_path = '' as $$
  update relay.outbox_start set next_xid = pg_current_xact_id() where next_id = seen_id
$$;

-- Step 3: begins after next_id, once all earlier transactions have ended and nothing up to next_id is left.
create function relay.reach_outbox_start() returns void
language sql set search_path = '' set enable_seqscan = off as $$
  update relay.outbox_start
  set after_id = next_id, next_id = null, next_xid = null, rests_until = clock_timestamp() + interval '1 second'
  where pg_snapshot_xmin(pg_current_snapshot()) >= next_xid
    and not exists (select from write.outbox where id > after_id and id <= next_id)
$$;

-- Looks from id 0 on, sets the beginning back to 0 if anything was left behind, and returns true. Nothing is left
-- behind unless, unnoticed by any relay, the sequence was set back or gave ids out of order (cache). Slow under an old
-- snapshot.
create function relay.look_back() returns boolean
language plpgsql set search_path = '' set enable_seqscan = off as $$
begin
  -- The update below sees everything committed before this lock.
  perform from relay.outbox_start for update;
  update relay.outbox_start set after_id = 0, next_id = null, next_xid = null
  where exists (select from write.outbox where id <= after_id);
  return found;
end;
$$;
