-- How fresh a streaming replica is: it knows nothing of what it has not replayed yet, so it may not say "now".

-- On a replica, the time of the last commit that it has replayed. Until it has replayed one since it was started: the
-- newest time that its rows tell of, a relay's sign of life or an event. What was committed before that, it has.
create or replace view read.freshness as
select
  subscription as read_model,
  position,
  -- The time of the oldest event the read model lacks, among the next 1,000; if it lacks none that is known here, now, or
  -- what is now on a replica.
  coalesce(
    least(
      (select min(recorded_at)
       from (select recorded_at from relay.log where log.position > checkpoints.position order by position limit 1000)
         as unhandled),
      (select min(recorded_at)
       from (
         select recorded_at from write.outbox where id > (select after_id from relay.outbox_start)
         order by id limit 1000
       ) as unnumbered)
    ),
    case when pg_is_in_recovery() then coalesce(
      pg_last_xact_replay_timestamp(),
      greatest(
        (select max(seen_at) from relay.listeners),
        (select recorded_at from relay.log order by position desc limit 1)
      ),
      'epoch'
    ) else now() end
  ) as as_of
from relay.checkpoints;
