-- Three run-time roles, each for a part of the work, with limits and rights. The owner of the database migrates and is
-- not used at run time. Roles belong to the whole server, and a copy of the database has other roles: every migrate
-- applies this file, after the numbered migrations. A repetition changes nothing, and needs no right to change roles:
-- for an owner without CREATEROLE, an admin runs the file first, with psql (docs/deploy/database.md).

-- The roles, and limits for every session of a role in the current database: nothing waits for ever. The passwords come
-- from the settings (src/migrate/passwords.ts). A number without a unit is in milliseconds. On a direct connection, the
-- program's own statement_timeout (src/database/database.ts) replaces the role's limit; behind a pooler, the role's limit
-- holds.
-- A server older than 17 does not know transaction_timeout: only idle_in_transaction_session_timeout ends a
-- transaction. Without keepalives the server would notice a silently lost client only after two hours;
-- client_connection_check_interval ends the statement of a lost client.
do $$
declare
  missing record;
  roles text;
  may_create boolean := (select rolsuper or rolcreaterole from pg_roles where rolname = current_user);
begin
  for missing in
    with roles (role, name) as (
      select role, current_database() || '_' || role from unnest(array['command', 'query', 'relay']) as role
    ),
    limits (role, name, value) as (
      values
        ('command', 'statement_timeout', '5000'), ('command', 'lock_timeout', '2000'), ('command', 'transaction_timeout', '10000'),
        ('query', 'statement_timeout', '10000'), ('query', 'lock_timeout', '2000'), ('query', 'transaction_timeout', '20000'),
        ('relay', 'statement_timeout', '300000'), ('relay', 'lock_timeout', '10000'), ('relay', 'transaction_timeout', '310000')
      union all
      select roles.role, common.name, common.value from roles, (values
        ('idle_in_transaction_session_timeout', '10000'), ('tcp_keepalives_idle', '30s'), ('tcp_keepalives_interval', '10s'),
        ('tcp_keepalives_count', '3'), ('client_connection_check_interval', '10s')
      ) as common (name, value)
    )
    select 1 as step, 'create' as action, name as role, format('create role %I login', name) as statement
    from roles where not exists (select from pg_roles where rolname = roles.name)
    union all
    select 2, 'alter', roles.name, format('alter role %I in database %I set %s = %L', roles.name, current_database(), limits.name, value)
    from limits join roles using (role)
    where current_setting(limits.name, true) is not null and not exists (
      select from pg_db_role_setting
      join pg_roles on pg_roles.oid = setrole join pg_database on pg_database.oid = setdatabase
      where rolname = roles.name and datname = current_database() and format('%s=%s', limits.name, value) = any(setconfig)
    )
    order by 1, 3, 4
  loop
    begin
      execute missing.statement;
    exception
      when invalid_parameter_value then
        if missing.statement not like '% client_connection_check_interval %' then
          raise;
        end if;
        raise notice 'This platform cannot tell during a statement whether the client is still there';
      when insufficient_privilege then
        -- From PostgreSQL 16 on, CREATEROLE alone is no right to alter a role that somebody else has made.
        select string_agg(format('%I', current_database() || '_' || role), ', ') into roles
        from unnest(array['command', 'query', 'relay']) as role;
        raise exception 'Cannot migrate: % may not % the role "%"; have an admin run %',
          current_user, missing.action, missing.role,
          case when may_create then format('grant %s to %I with admin option', roles, current_user)
            else format('the file migrations/roles.sql with psql in database "%s", or alter role %I createrole',
              current_database(), current_user) end
          using errcode = 'insufficient_privilege';
    end;
  end loop;
end;
$$;

-- The rights. Nobody but the owner may do anything in the four schemas unless a grant below, or a migration by
-- migrations.grant_to, says otherwise. Commands read every write table, queries and the relay every read model. The
-- migration creating a table or a view gives further rights on the table or view. The rights of other logins, on the
-- database too, stay as they are. Without the schemas, as for an admin before the first migrate, nothing is done.
do $$
declare
  owner name := (select pg_get_userbyid(nspowner) from pg_namespace where nspname = 'migrations');
  is_owner_of_database boolean := (
    select pg_has_role(datdba, 'usage') from pg_database where datname = current_database()
  );
  mine text[];
  given record;
begin
  if to_regclass('migrations.logins') is null then
    return;
  end if;
  mine := array[migrations.role_name('command'), migrations.role_name('query'), migrations.role_name('relay')];

  for given in
    select oid::regprocedure as routine from pg_proc
    where pronamespace = any(array['write', 'relay', 'read', 'migrations']::regnamespace[])
      and (proacl is null or exists (select from aclexplode(proacl) where grantee = 0))
      and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')
  loop
    execute format('revoke execute on routine %s from public', given.routine);
  end loop;

  -- The logins of the database that the current database is a copy of, or that had another name.
  for given in
    delete from migrations.logins where name <> all(mine) returning name, name in (select rolname from pg_roles) as lives
  loop
    continue when not given.lives;
    execute format('revoke all on schema write, relay, read, migrations from %I', given.name);
    execute format('revoke all on all tables in schema write, relay, read, migrations from %I', given.name);
    execute format('revoke all on all sequences in schema write, relay, read, migrations from %I', given.name);
    execute format('revoke all on all routines in schema write, relay, read, migrations from %I', given.name);
    execute format('alter default privileges for role %I in schema write, read revoke all on tables from %I', owner, given.name);
    if is_owner_of_database then
      execute format('revoke all on database %I from %I', current_database(), given.name);
    end if;
  end loop;
  insert into migrations.logins select unnest(mine) on conflict do nothing;

  if is_owner_of_database then
    execute format('grant connect on database %I to %I, %I, %I', current_database(), mine[1], mine[2], mine[3]);
  end if;
  for given in select role from unnest(mine) as role where not has_database_privilege(role, current_database(), 'connect') loop
    raise exception 'Cannot migrate: the role "%" may not connect; have the owner of the database run grant connect on database "%" to "%"',
      given.role, current_database(), given.role using errcode = 'insufficient_privilege';
  end loop;

  for given in
    select * from (values
      ('command', 'usage on schema migrations, write'),
      ('command', 'select on all tables in schema write'),
      ('command', 'execute on function write.append'),
      ('query', 'usage on schema migrations, read'),
      ('query', 'select on all tables in schema read'),
      ('relay', 'usage on schema migrations, write, relay, read'),
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
      -- Every process waits for the migrations before serving, and the doctor looks at the rest.
      ('command', 'select on all tables in schema migrations'),
      ('query', 'select on all tables in schema migrations'),
      ('relay', 'select on all tables in schema migrations')
    ) as machinery (role, privileges)
  loop
    execute format('grant %s to %I', given.privileges, migrations.role_name(given.role));
  end loop;
  execute format('alter default privileges for role %I in schema write grant select on tables to %I', owner, mine[1]);
  execute format('alter default privileges for role %I in schema read grant select on tables to %I, %I', owner, mine[2], mine[3]);

  -- The rights given by migrations. Rights on a dropped table are forgotten.
  for given in select * from migrations.role_grants loop
    begin
      execute format('grant %s to %I', given.privileges, migrations.role_name(given.role));
    exception when undefined_table or undefined_column or undefined_function or invalid_schema_name then
      delete from migrations.role_grants where role = given.role and privileges = given.privileges;
    end;
  end loop;
end;
$$;
