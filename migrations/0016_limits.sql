-- What keeps the rest going when one part is stuck: relays say whether they are notified, a full notification queue
-- stops no command, and limits per role.

-- A row for every relay that runs.
create table relay.listeners (
  id uuid primary key,
  -- whether a notification that it sent to itself was heard
  listening boolean not null,
  -- since when it is so
  since timestamptz not null default now(),
  -- when it last said so, every ten seconds or so
  seen_at timestamptz not null default now()
) with (fillfactor = 50);

call public.grant_to('relay', 'select, insert, update, delete on relay.listeners');

-- Notifies whoever listens for the relay; false when it does not, because the queue of notifications is half full.
-- The queue belongs to the whole server, and a session that listens but never ends its transaction fills it: then every
-- commit that notifies fails (54000). It stays full until somebody asks how full it is; asking moves its tail.
create function relay.notify(payload text) returns boolean
language plpgsql set search_path = '' as $$
begin
  if pg_notification_queue_usage() > 0.5 then
    return false;
  end if;
  perform pg_notify('relay', payload);
  return true;
end;
$$;

call public.grant_to('relay', 'execute on function relay.notify');

create or replace function relay.wake() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if exists (select from relay.state where awake_until <= clock_timestamp()) then
    perform relay.notify('');
  end if;
  return null;
end;
$$;

-- More limits for whoever logs in as one of the roles, next to those of 0001_roles.sql; times in milliseconds.
-- A server older than 17 does not know transaction_timeout; there, only idle_in_transaction_session_timeout ends a
-- transaction. Without keepalives it would notice after two hours that a client has gone without a word.
do $$
declare
  role_name text;
  limits record;
begin
  for limits in
    select * from (values ('command', 10000), ('query', 20000), ('relay', 310000)) as given (role, transaction_timeout)
  loop
    role_name := current_database() || '_' || limits.role;
    if current_setting('server_version_num')::integer >= 170000 then
      execute format('alter role %I in database %I set transaction_timeout = %L',
        role_name, current_database(), limits.transaction_timeout);
    end if;
    execute format('alter role %I in database %I set tcp_keepalives_idle = %L', role_name, current_database(), '30s');
    execute format('alter role %I in database %I set tcp_keepalives_interval = %L', role_name, current_database(), '10s');
    execute format('alter role %I in database %I set tcp_keepalives_count = 3', role_name, current_database());
    begin
      -- What a client that has gone has asked for is not worked on any more.
      execute format('alter role %I in database %I set client_connection_check_interval = %L',
        role_name, current_database(), '10s');
    exception when invalid_parameter_value then
      raise notice 'This platform cannot tell during a statement whether the client is still there';
    end;
  end loop;
end;
$$;

-- Small tables in which every row is replaced again and again: by the defaults they would wait for a fifth of their
-- largest size.
alter table write.outbox set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
alter table relay.checkpoints set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
alter table relay.state set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
alter table relay.retries set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
alter table relay.listeners set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);

-- Where the outbox begins. Under an old snapshot (a backup, a forgotten transaction) the rows that were taken out of it
-- stay where they are, and whoever looks for the first one left walks over all of them: every drain, every query.
-- So the relay remembers an id up to which nothing is left and nothing can appear any more.
create table relay.outbox_start (
  only_row boolean primary key default true constraint there_is_one_outbox check (only_row),
  after_id bigint not null default 0,
  -- the next value of after_id: the last id that had been given to anybody; null when it is to be chosen
  next_id bigint,
  -- whoever had been given an id up to next_id is an earlier transaction than this one; null while it is to be found
  next_xid xid8,
  due_at timestamptz not null default '-infinity'
);
insert into relay.outbox_start default values;
alter table relay.outbox_start set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);

call public.grant_to('relay', 'select, update on relay.outbox_start');
call public.grant_to('relay', 'select on sequence write.outbox_id_seq');

-- The last id that was given to anybody.
create function relay.last_outbox_id() returns bigint
language sql set search_path = '' as $$
  select case when is_called then last_value else last_value - 1 end from write.outbox_id_seq
$$;

call public.grant_to('relay', 'execute on function relay.last_outbox_id');

-- Moves the beginning, once a second at most, in three steps, each in another transaction that numbers events:
-- 1. choose the last id that was given to anybody. A transaction has its own number (xid) before it is given an id.
-- 2. note a transaction that got its number after step 1 was committed: every one that was given such an id is earlier.
-- 3. once all earlier ones have ended, and nothing up to that id is left: it is the beginning.
-- The caller holds the lock on relay.state. seen_id: what next_id was before the caller's transaction had a number.
create function relay.move_outbox_start(seen_id bigint) returns void
language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
  start relay.outbox_start;
begin
  select * into start from relay.outbox_start;
  if start.next_id is null then
    if start.due_at <= clock_timestamp() then
      update relay.outbox_start set next_id = relay.last_outbox_id();
    end if;
  elsif start.next_xid is null then
    if start.next_id = seen_id then
      update relay.outbox_start set next_xid = pg_current_xact_id();
    end if;
  elsif pg_snapshot_xmin(pg_current_snapshot()) >= start.next_xid
    and not exists (select from write.outbox where id > start.after_id and id <= start.next_id)
  then
    update relay.outbox_start
    set after_id = next_id, next_id = null, next_xid = null, due_at = clock_timestamp() + interval '1 second';
  end if;
end;
$$;

call public.grant_to('relay', 'execute on function relay.move_outbox_start');

-- As in 0003_relay.sql, but from the beginning on. A sequence that was set back, as after a failover that does not copy
-- sequences, sets back the beginning as well; so does a transaction from the future, as in a restored copy.
create or replace function relay.number_events(max_events integer) returns bigint
language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
  last_position bigint;
  start relay.outbox_start;
  seen_id bigint;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'Cannot number events at isolation level %: it needs read committed',
      current_setting('transaction_isolation');
  end if;
  perform relay.refuse_checkpoint_beyond_log();

  select * into start from relay.outbox_start;
  if pg_current_xact_id_if_assigned() is null then
    seen_id := start.next_id;
  end if;
  if greatest(start.after_id, start.next_id) > relay.last_outbox_id()
    or start.next_xid >= pg_snapshot_xmax(pg_current_snapshot())
  then
    update relay.outbox_start set after_id = 0, next_id = null, next_xid = null;
    start.after_id := 0;
  end if;

  if exists (select from write.outbox where id > start.after_id) then
    perform from relay.state for update;
    select coalesce(max(position), 0) into last_position from relay.log;
    with taken as (
      delete from write.outbox where id = any (
        array(select id from write.outbox where id > start.after_id order by id limit max_events)
      )
      returning id, event_id, recorded_at
    )
    insert into relay.log (position, event_id, recorded_at)
    select last_position + row_number() over (order by id), event_id, recorded_at from taken;
    perform relay.move_outbox_start(seen_id);
  end if;

  return (select coalesce(max(position), 0) from relay.log);
end;
$$;

-- Looks from the very beginning, and goes back there if anything was left behind: nothing is, unless the sequence was set
-- back, or its ids are given out of order (cache), without any relay noticing. Slow under an old snapshot.
create function relay.look_back() returns boolean
language plpgsql set search_path = '' set enable_seqscan = off as $$
begin
  -- What the update below sees is as of after this.
  perform from relay.outbox_start for update;
  update relay.outbox_start set after_id = 0, next_id = null, next_xid = null
  where exists (select from write.outbox where id <= after_id);
  return found;
end;
$$;

call public.grant_to('relay', 'execute on function relay.look_back');

create or replace view read.freshness as
select
  subscription as read_model,
  position,
  -- The time of the oldest event the read model lacks, among the next 1,000; now, if it lacks none.
  coalesce(
    least(
      (select min(recorded_at)
       from (select recorded_at from relay.log where log.position > checkpoints.position order by position limit 1000)
         as unhandled),
      (select min(recorded_at)
       from (
         select recorded_at from write.outbox where id > (select after_id from relay.outbox_start)
         order by id limit 1000
       ) as unnumbered)
    ),
    now()
  ) as as_of
from relay.checkpoints;
