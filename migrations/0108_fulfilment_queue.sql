-- Read model: confirmed orders waiting to be shipped. Refreshed by changed keys.

create view read.fulfilment_queue_source as
select order_id, customer_id, total_cents, lines, placed_at, version
from read.order_details_source
where status = 'confirmed';

call read.add_model('fulfilment_queue', key => 'order_id');
create index fulfilment_queue_for_oldest_idx on read.fulfilment_queue (placed_at, order_id);
