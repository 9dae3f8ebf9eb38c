-- Jars: the small feature that the tests of the machinery stand on, and a feature to copy.

create table write.jars (
  id uuid primary key,
  label text not null,
  grams integer not null,
  version integer not null,
  constraint jar_is_not_overfull check (grams <= 1000)
);
call migrations.grant_to('command', 'insert, update on write.jars');

-- Read model: a jar as a client sees it. Kept by changed keys.
create view read.jar_details_source as
select id as jar_id, label, grams, version from write.jars;

call read.add_model('jar_details', key => 'jar_id');
create index jar_details_for_label_idx on read.jar_details (label, jar_id);

-- Read model: how much is in all jars of a label. A materialized view, refreshed whole.
create view read.grams_by_label_source as
select label, count(*) as jars, sum(grams)::bigint as grams from write.jars group by label;

call read.add_model('grams_by_label', key => 'label', refresh => 'whole');

-- The process manager in jar.ts: from the next event on.
insert into relay.checkpoints (subscription, position) select 'topping_up', relay.last_position();
