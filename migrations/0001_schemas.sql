-- Three schemas, each for a part of the work, and the procedure for migrations to give rights to the run-time roles.

-- The present state in tables, and the events leading to the state.
create schema write;
-- The way of an event from the outbox to every subscription.
create schema relay;
-- Read models: tables and materialized views in the shape of an answer.
create schema read;

-- Rights given by migrations. Every migrate gives the rights again (roles.sql): a copy of a database under another name
-- has other roles.
create table public.role_grants (
  -- command, query or relay
  role text not null,
  -- the words between "grant" and "to", for example 'insert on write.orders'
  privileges text not null,
  primary key (role, privileges)
);

-- Gives a right to a run-time role now, if the role exists, and again with every migrate.
-- role: command, query or relay. privileges: the words after "grant", for a single table, view or function.
create procedure public.grant_to(role text, privileges text)
language plpgsql set search_path = '' as $$
begin
  insert into public.role_grants values (role, privileges) on conflict do nothing;
  if to_regrole(quote_ident(public.role_name(role))) is not null then
    execute format('grant %s to %I', privileges, public.role_name(role));
  end if;
end;
$$;

-- Returns the login of a role in the current database. Roles belong to the whole server, hence the database's name.
create function public.role_name(role text) returns text
language sql stable set search_path = '' as $$ select current_database() || '_' || role $$;
