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
alter table relay.listeners set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
