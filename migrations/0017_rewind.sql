-- For a database that is an older copy than its checkpoints say (see relay.refuse_checkpoint_beyond_log): brings them,
-- and what queries read, back to what the log holds.

-- Recomputes a read model as a whole from its definition, whichever way it is kept.
create function relay.recompute(read_model text) returns void
language plpgsql security definer set search_path = '' as $$
declare
  content regclass := format('read.%I', read_model)::regclass;
  columns text;
begin
  if (select relkind from pg_catalog.pg_class where oid = content) = 'm' then
    execute format('refresh materialized view concurrently %s', content);
    return;
  end if;
  select string_agg(quote_ident(attname), ', ' order by attnum) into columns
  from pg_catalog.pg_attribute where attrelid = content and attnum > 0 and not attisdropped;
  execute format('delete from %s', content);
  execute format('insert into %s (%s) select %2$s from read.%I', content, columns, read_model || '_source');
end;
$$;

-- Sets every checkpoint that is beyond the log back to its end, and returns which they were and where they stood. If
-- there are any, it recomputes every read model: any may show what came of events that the log no longer has.
create function relay.rewind() returns table (subscription text, was_at bigint, ends_at bigint)
language plpgsql security definer set search_path = '' as $$
begin
  -- Nobody numbers events meanwhile.
  perform from relay.state for update;
  return query
    with log as (select coalesce(max(position), 0) as last from relay.log),
    beyond as (select checkpoints.* from relay.checkpoints, log where position > log.last for update of checkpoints)
    update relay.checkpoints
    set position = log.last, due_at = '-infinity', last_error = null, leased_to = null, fence = checkpoints.fence + 1
    from beyond, log
    where checkpoints.subscription = beyond.subscription
    returning checkpoints.subscription, beyond.position, checkpoints.position;
  if found then
    delete from relay.retries where position > (select coalesce(max(log.position), 0) from relay.log);
    perform relay.recompute(checkpoints.subscription) from relay.checkpoints
    where to_regclass(format('read.%I', checkpoints.subscription || '_source')) is not null;
  end if;
end;
$$;

call public.grant_to('relay', 'execute on function relay.rewind');
