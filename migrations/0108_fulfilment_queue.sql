-- Read model: confirmed orders waiting to be shipped. Refreshed by changed keys.

-- The position before the content: no event missing in the content is taken for handled.
insert into relay.checkpoints (subscription, position)
select 'fulfilment_queue', coalesce(max(position), 0) from relay.log;

create view read.fulfilment_queue_source as
select order_id, customer_id, total_cents, lines, placed_at, version
from read.order_details_source
where status = 'confirmed';

create table read.fulfilment_queue as select * from read.fulfilment_queue_source;
alter table read.fulfilment_queue add primary key (order_id);
create index fulfilment_queue_for_oldest_idx on read.fulfilment_queue (placed_at, order_id);

call migrations.grant_to('relay', 'insert, update, delete on read.fulfilment_queue');
