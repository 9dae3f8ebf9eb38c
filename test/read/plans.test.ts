import { sql } from "kysely";
import { beforeAll, describe, expect, it } from "vitest";
import { app } from "../jars/app.ts";
import { useTestDatabase } from "../support/database.ts";
import { keyOf, listSlow, uuid } from "../support/plans.ts";

const test = useTestDatabase({ jars: true });

const ROWS = 60_000;
const byKeys = app.readModels.filter(({ refresh }) => refresh === "changed keys").map(({ name }) => name);

beforeAll(async () => {
  await sql`
    insert into write.jars (id, label, grams, version)
    select ${uuid("n")}, 'Label ' || n % 1000, n % 1000, 2 from generate_series(1, ${sql.lit(ROWS)}) as n`
    .execute(test.owner);
  await sql`analyze`.execute(test.owner);
}, 60_000);

async function slow(name: string, definition: string): Promise<string[]> {
  await sql.raw(`create view read.${name}_source as ${definition}`).execute(test.owner);
  return await listSlow(test.owner, `read.${name}_source`, "jar_id");
}

describe("a definition that is refreshed by changed keys", () => {
  it.each(byKeys)(
    "of %s is computed for a few keys without reading a table from end to end",
    async (name) => {
      expect(await listSlow(test.owner, `read.${name}_source`, await keyOf(test.owner, name))).toEqual([]);
    },
  );

  it("would be found out if its key were not pushed down", async () => {
    const definition = "select id as jar_id, sum(grams) over (partition by label) as total from write.jars";
    expect(await slow("careless", definition)).toEqual([
      "read.careless_source reads 60000 of 60000 rows of write.jars for 100 keys",
    ]);
  });

  it("would be found out if a table had no index for it, or no rows to tell", async () => {
    await sql`create table write.lids (jar_id uuid, colour text)`.execute(test.owner);
    const definition = `
      select jars.id as jar_id, array_agg(lids.colour) as colours
      from write.jars left join write.lids on lids.jar_id = jars.id group by jars.id`;
    expect(await slow("lids", definition)).toEqual(["write.lids has 0 rows: fill in 50000 at least"]);

    await sql`insert into write.lids select id, 'red' from write.jars`.execute(test.owner);
    await sql`analyze write.lids`.execute(test.owner);
    expect(await slow("lids_again", definition)).toEqual([
      "read.lids_again_source reads 60000 of 60000 rows of write.lids for 100 keys",
    ]);
    await sql`create index on write.lids (jar_id)`.execute(test.owner);
    expect(await slow("lids_with_index", definition)).toEqual([]);
  });

  it("would be found out if the rows belonged to other keys", async () => {
    expect(await slow("other", "select gen_random_uuid() as jar_id from write.jars where false")).toEqual([
      "read.other_source has 0 rows for 100 keys: fill the tables for those keys",
    ]);
  });
});
