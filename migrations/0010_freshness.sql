-- The freshness of answers, for queries without a right to read the relay's tables.

-- position: the answer has at least the events up to the position. reached: the checkpoint; events between are set aside.
-- as_of: every event committed before is in the answer. docs/decisions/0018-as-of.md has the argument.
create view read.freshness as
select
  read_model,
  position,
  reached,
  coalesce(
    (select recorded_at from relay.log where log.position = shown.position + 1),
    (select recorded_at from write.outbox where id > (select after_id from relay.outbox_start) order by id limit 1),
    -- A streaming replica does not know the commits still to be replayed: the present is the time of the last replayed
    -- commit. Before the first commit since the start: the newest time in the rows, a relay's sign of life or an event.
    case when pg_is_in_recovery() then coalesce(
      pg_last_xact_replay_timestamp(),
      greatest(
        (select max(seen_at) from relay.listeners),
        (select recorded_at from relay.log order by position desc limit 1)
      ),
      'epoch'
    ) else now() end
  ) as as_of
from (
  select
    subscription as read_model,
    checkpoints.position as reached,
    least(
      checkpoints.position,
      (select min(set_aside.position) - 1 from relay.set_aside where set_aside.subscription = checkpoints.subscription)
    ) as position
  from relay.checkpoints
) as shown;

-- The position of an event, for queries with a consistency token.
create view read.positions as
select position, event_id from relay.log;

-- The events missing in a read model although the checkpoint is beyond: set aside, or skipped by an operator.
create view read.missing as
select subscription as read_model, position, due_at is null as is_given_up from relay.set_aside
union all
select subscription, position, true from relay.skipped;
