-- What publishers need: their endpoints come from the settings, so no migration can add their checkpoints.

-- Adds the checkpoint of a publisher unless there is one: it begins with the next event. Raises for other names, whose
-- checkpoints belong to the migrations: the relay itself may not add any.
create function relay.begin_publishing(subscription_name text) returns void
language plpgsql security definer set search_path = '' as $$
begin
  if subscription_name !~ '^publish_[a-z][a-z0-9_]{0,40}$' then
    raise exception 'Cannot add a checkpoint for %: it is no publisher', subscription_name;
  end if;
  insert into relay.checkpoints (subscription, position)
  select subscription_name, coalesce(max(position), 0) from relay.log
  on conflict do nothing;
end;
$$;

call public.grant_to('relay', 'execute on function relay.begin_publishing');
