-- What a query may know of the relay: how far each read model has come, and the position of an event.

create view read.freshness as
select
  subscription as read_model,
  position,
  -- The time of the oldest event the read model lacks, among the next 1,000; now, if it lacks none.
  coalesce(
    least(
      (select min(recorded_at)
       from (select recorded_at from relay.log where log.position > checkpoints.position order by position limit 1000)
         as unhandled),
      (select min(recorded_at) from (select recorded_at from write.outbox order by id limit 1000) as unnumbered)
    ),
    now()
  ) as as_of
from relay.checkpoints;

create view read.positions as
select position, event_id from relay.log;
