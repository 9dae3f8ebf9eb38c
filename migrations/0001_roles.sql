-- Three schemas, and three run-time roles that may each do one half of the work. The owner of the
-- database migrates and is not used at run time.

create schema write;
create schema relay;
create schema read;

-- Roles belong to the whole cluster, so their names start with the name of the database.
-- role: command, query or relay. privileges: what follows the word "grant", such as 'insert on write.orders'.
create procedure public.grant_to(role text, privileges text)
language plpgsql set search_path = '' as $$
begin
  execute format('grant %s to %I', privileges, current_database() || '_' || role);
end;
$$;

do $$
declare
  role text;
  role_name text;
begin
  -- Without this, every new function would be executable by anybody.
  alter default privileges revoke execute on functions from public;
  revoke execute on procedure public.grant_to from public;
  execute format('revoke all on database %I from public', current_database());
  revoke all on schema public from public;

  foreach role in array array['command', 'query', 'relay'] loop
    role_name := current_database() || '_' || role;
    if not exists (select from pg_catalog.pg_roles where rolname = role_name) then
      execute format('create role %I', role_name);
    end if;
    execute format('grant connect on database %I to %I', current_database(), role_name);
  end loop;
end;
$$;

-- Limits on every statement of whoever logs in as one of them, in milliseconds, so that nothing waits for ever. The
-- program sets its own statement_timeout (src/process/start.ts), which goes before this one.
do $$
declare
  limits record;
begin
  for limits in
    select * from (values ('command', 5000, 2000), ('query', 10000, 2000), ('relay', 300000, 10000))
      as given (role, statement_timeout, lock_timeout)
  loop
    execute format('alter role %I in database %I set statement_timeout = %L',
      current_database() || '_' || limits.role, current_database(), limits.statement_timeout);
    execute format('alter role %I in database %I set lock_timeout = %L',
      current_database() || '_' || limits.role, current_database(), limits.lock_timeout);
    execute format('alter role %I in database %I set idle_in_transaction_session_timeout = 10000',
      current_database() || '_' || limits.role, current_database());
  end loop;
end;
$$;

call public.grant_to('command', 'usage on schema write, public');
call public.grant_to('relay', 'usage on schema relay, write, read, public');
call public.grant_to('query', 'usage on schema read, public');

-- New tables: commands read every write table; queries and the relay read everything in read. What else a role
-- may do with a table, the migration that creates the table says.
do $$
declare
  database text := current_database();
begin
  execute format('alter default privileges in schema write grant select on tables to %I', database || '_command');
  execute format('alter default privileges in schema read grant select on tables to %I, %I',
    database || '_query', database || '_relay');
end;
$$;
