-- Three run-time roles, each for a part of the work, with limits and rights. The owner of the database migrates and is
-- not used at run time. Roles belong to the whole server, and a copy of the database has other roles: every migrate
-- applies this file, after the numbered migrations, and a repetition changes nothing.

-- The roles. The passwords come from the settings (src/migrate.ts).
do $$
declare
  role text;
begin
  foreach role in array array['command', 'query', 'relay'] loop
    if to_regrole(quote_ident(public.role_name(role))) is null then
      execute format('create role %I', public.role_name(role));
    end if;
  end loop;
end;
$$;

-- Limits for every session of a role in the current database: nothing waits for ever. A number without a unit is in
-- milliseconds. On a direct connection, the program's own statement_timeout (src/database/database.ts) replaces
-- the role's limit; behind a pooler, the role's limit holds.
-- A server older than 17 does not know transaction_timeout: only idle_in_transaction_session_timeout ends a
-- transaction. Without keepalives the server would notice a silently lost client only after two hours;
-- client_connection_check_interval ends the statement of a lost client.
do $$
declare
  setting record;
begin
  for setting in
    select role, name, value from (values
      ('command', 'statement_timeout', '5000'), ('command', 'lock_timeout', '2000'), ('command', 'transaction_timeout', '10000'),
      ('query', 'statement_timeout', '10000'), ('query', 'lock_timeout', '2000'), ('query', 'transaction_timeout', '20000'),
      ('relay', 'statement_timeout', '300000'), ('relay', 'lock_timeout', '10000'), ('relay', 'transaction_timeout', '310000')
    ) as own (role, name, value)
    union all
    select role, name, value from unnest(array['command', 'query', 'relay']) as role, (values
      ('idle_in_transaction_session_timeout', '10000'), ('tcp_keepalives_idle', '30s'), ('tcp_keepalives_interval', '10s'),
      ('tcp_keepalives_count', '3'), ('client_connection_check_interval', '10s')
    ) as common (name, value)
  loop
    continue when current_setting(setting.name, true) is null;
    begin
      execute format('alter role %I in database %I set %s = %L',
        public.role_name(setting.role), current_database(), setting.name, setting.value);
    exception when invalid_parameter_value then
      if setting.name <> 'client_connection_check_interval' then
        raise;
      end if;
      raise notice 'This platform cannot tell during a statement whether the client is still there';
    end;
  end loop;
end;
$$;

-- Nobody but the owner may do anything unless a grant below, or a migration by public.grant_to, says otherwise.
do $$
begin
  execute format('revoke all on database %I from public', current_database());
end;
$$;
revoke all on schema public from public;
revoke execute on all routines in schema write, relay, read from public;
revoke execute on procedure public.grant_to from public;
revoke execute on function public.role_name from public;
alter default privileges revoke execute on functions from public;

-- Rights on the machinery. Commands read every write table, queries and the relay every read model. The migration
-- creating a table or a view gives further rights on the table or view.
do $$
declare
  given record;
begin
  execute format('grant connect on database %I to %I, %I, %I', current_database(),
    public.role_name('command'), public.role_name('query'), public.role_name('relay'));
  for given in
    select * from (values
      ('command', 'usage on schema public, write'),
      ('command', 'select on all tables in schema write'),
      ('command', 'execute on function write.append'),
      ('query', 'usage on schema public, read'),
      ('query', 'select on all tables in schema read'),
      ('relay', 'usage on schema public, write, relay, read'),
      ('relay', 'select on write.events'),
      ('relay', 'select, delete on write.outbox'),
      ('relay', 'select on sequence write.outbox_id_seq'),
      ('relay', 'execute on function write.sweep_idempotency_keys'),
      ('relay', 'select, update on relay.state, relay.outbox_start, relay.checkpoints'),
      ('relay', 'select, insert on relay.log'),
      ('relay', 'select, insert, update, delete on relay.lanes, relay.handled_types, relay.listeners,
        relay.set_aside'),
      ('relay', 'select, insert, delete on relay.failures'),
      ('relay', 'select on relay.parked'),
      ('relay', 'select, insert on relay.skipped'),
      ('relay', 'usage on sequence relay.holds'),
      ('relay', 'execute on all functions in schema relay'),
      ('relay', 'select on all tables in schema read'),
      -- Every process waits for the migrations before serving.
      ('command', 'select on public.kysely_migration'),
      ('query', 'select on public.kysely_migration'),
      ('relay', 'select on public.kysely_migration')
    ) as machinery (role, privileges)
  loop
    execute format('grant %s to %I', given.privileges, public.role_name(given.role));
  end loop;
  execute format('alter default privileges in schema write grant select on tables to %I', public.role_name('command'));
  execute format('alter default privileges in schema read grant select on tables to %I, %I',
    public.role_name('query'), public.role_name('relay'));
end;
$$;

-- The rights given by migrations. Rights on a dropped table are forgotten.
do $$
declare
  given public.role_grants;
begin
  for given in select * from public.role_grants loop
    begin
      execute format('grant %s to %I', given.privileges, public.role_name(given.role));
    exception when undefined_table or undefined_column or undefined_function or invalid_schema_name then
      delete from public.role_grants where role = given.role and privileges = given.privileges;
    end;
  end loop;
end;
$$;
