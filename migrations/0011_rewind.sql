-- The way back after an older copy of the database was restored.

-- Raises CQ004 when a checkpoint is beyond the log, as after a restore of an older copy: events numbered from now on would
-- be taken for handled.
create function relay.refuse_checkpoint_beyond_log() returns void
language plpgsql set search_path = '' as $$
declare
  log_end bigint := relay.last_position();
  beyond record;
begin
  select subscription, position into beyond from relay.checkpoints where position > log_end limit 1;
  if found then
    raise exception 'Cannot relay: the checkpoint of % is at position %, but the log ends at %; %', beyond.subscription,
      beyond.position, log_end, 'was an older copy of the database restored?'
      using errcode = 'CQ004';
  end if;
end;
$$;

-- Sets every checkpoint beyond the log back to the end of the log, and returns the moved checkpoints with both
-- positions. If any was moved, shortens the lanes beyond their streams, forgets events set aside beyond the log, and
-- recomputes every read model: any read model may show the effect of events no longer in the log.
create function relay.rewind() returns table (subscription text, was_at bigint, ends_at bigint)
language plpgsql security definer set search_path = '' as $$
declare
  log_end bigint;
begin
  -- Nobody numbers events meanwhile.
  perform from relay.state for update;
  log_end := relay.last_position();
  return query
    with beyond as (
      select checkpoints.* from relay.checkpoints where checkpoints.position > log_end for update of checkpoints
    )
    update relay.checkpoints
    set position = log_end, rests_until = '-infinity', last_error = null
    from beyond
    where checkpoints.subscription = beyond.subscription
    returning checkpoints.subscription, beyond.position, checkpoints.position;
  if found then
    with ends as materialized (
      select lanes.subscription, lanes.stream,
        (select coalesce(max(version), 0) from write.events where events.stream = lanes.stream) as last_version
      from relay.lanes order by lanes.subscription collate "C", lanes.stream collate "C" for update
    ),
    gone as (
      delete from relay.lanes using ends
      where lanes.subscription = ends.subscription and lanes.stream = ends.stream and next_version > ends.last_version
    )
    update relay.lanes set last_version = ends.last_version from ends
    where lanes.subscription = ends.subscription and lanes.stream = ends.stream
      and next_version <= ends.last_version and lanes.last_version > ends.last_version;
    delete from relay.set_aside where set_aside.position > log_end;
    perform relay.recompute(checkpoints.subscription) from relay.checkpoints
    where to_regclass(format('read.%I', checkpoints.subscription || '_source')) is not null;
  end if;
end;
$$;

-- Recomputes a read model, a table or a materialized view, as a whole from the definition.
create function relay.recompute(read_model text) returns void
language plpgsql set search_path = '' as $$
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
