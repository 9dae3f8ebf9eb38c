-- The beginning of a publisher.

-- Adds the checkpoint of a publisher, if missing: the publisher begins with the next event. The endpoints of publishers
-- come from the settings: no migration can add the checkpoints. Raises for other names: all other checkpoints belong to
-- the migrations, and the relay may not add any.
create function relay.begin_publishing(subscription_name text) returns void
language plpgsql security definer set search_path = '' as $$
begin
  if subscription_name !~ '^publish_[a-z][a-z0-9_]{0,40}$' then
    raise exception 'Cannot add a checkpoint for %: it is no publisher', subscription_name;
  end if;
  insert into relay.checkpoints (subscription, position) values (subscription_name, relay.last_position())
  on conflict do nothing;
end;
$$;
