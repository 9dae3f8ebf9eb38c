import { sql } from "kysely";
import { expect, it } from "vitest";
import { useTestDatabase } from "../support/database.ts";
import { uuid } from "../support/plans.ts";

const test = useTestDatabase({ jars: true });

it("is the plan for large tables, also when the plan was made while the tables were small", async () => {
  await test.owner.transaction().execute(async (trx) => {
    await sql.raw(`
      create table write.lids (jar_id uuid, colour text);
      create index lids_for_jar_idx on write.lids (jar_id);
      create view read.lidded_jars_source as
        select jars.id as jar_id, string_agg(colour, ', ') as colours
        from write.jars left join write.lids on lids.jar_id = jars.id group by jars.id;
      call read.add_model('lidded_jars', key => 'jar_id')`).execute(trx);
    const refresh = sql`select read.refresh_lidded_jars(array[${sql.lit("1".padStart(32, "0"))}])`;
    await refresh.execute(trx);
    await sql`
      insert into write.jars (id, label, grams, version)
      select ${uuid("n")}, 'Honey', 1, 1 from generate_series(1, 60000) as n`.execute(trx);
    await sql`insert into write.lids select id, 'red' from write.jars`.execute(trx);
    const rowsRead = async () => {
      const { rows } = await sql<{ read: number }>`
        select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::integer as read from pg_stat_xact_all_tables
        where schemaname in ('write', 'read')`.execute(trx);
      return rows[0]!.read;
    };
    const before = await rowsRead();
    await refresh.execute(trx);
    expect(await rowsRead() - before).toBeLessThan(10);
  });
});
