-- Three schemas, each for a part of the work, and the procedure for migrations to give rights to the run-time roles.

-- The present state in tables, and the events leading to the state.
create schema write;
-- The way of an event from the outbox to every subscription.
create schema relay;
-- Read models: tables and materialized views in the shape of an answer.
create schema read;

-- The schema "migrations", and migrations.applied inside, were made by migrate itself (src/migrate.ts).

-- Rights given by migrations. Every migrate gives the rights again (roles.sql): a copy of a database under another name
-- has other roles.
create table migrations.role_grants (
  -- command, query or relay
  role text not null,
  -- the words between "grant" and "to", for example 'insert on write.orders'
  privileges text not null,
  primary key (role, privileges)
);

-- The logins that hold rights here by roles.sql. After a copy or a rename, the former database's logins lose their rights.
create table migrations.logins (
  name text primary key
);

-- Gives a right to a run-time role now, if the role exists, and again with every migrate.
-- role: command, query or relay. privileges: the words after "grant", for a single table, view or function.
create procedure migrations.grant_to(role text, privileges text)
language plpgsql set search_path = '' as $$
begin
  insert into migrations.role_grants values (role, privileges) on conflict do nothing;
  if to_regrole(quote_ident(migrations.role_name(role))) is not null then
    execute format('grant %s to %I', privileges, migrations.role_name(role));
  end if;
end;
$$;

-- Returns the login of a role in the current database. Roles belong to the whole server, hence the database's name.
create function migrations.role_name(role text) returns text
language sql stable set search_path = '' as $$ select current_database() || '_' || role $$;

-- Adds an extension, if missing, to the first of public, extensions and migrations with room for more objects. An
-- extension may be anywhere: ask migrations.schema_of for the schema.
create procedure migrations.add_extension(name text)
language plpgsql set search_path = '' as $$
begin
  execute format('create extension if not exists %I schema %I', name, (
    select nspname from unnest(array['public', 'extensions', 'migrations']) with ordinality as given (schema, place)
    join pg_namespace on nspname = schema
    where has_schema_privilege(pg_namespace.oid, 'create') order by place limit 1
  ));
end;
$$;

-- Returns the schema of an extension's objects, ready to be put into a statement; null without the extension.
create function migrations.schema_of(extension text) returns text
language sql stable set search_path = '' as $$
  select quote_ident(nspname) from pg_extension
  join pg_namespace on pg_namespace.oid = extnamespace where extname = extension
$$;
