import { sql } from "kysely";
import { beforeAll, describe, expect, it } from "vitest";
import { app } from "../jars/app.ts";
import { useTestDatabase } from "../support/database.ts";
import { scannedByKey, uuid } from "../support/plans.ts";

const test = useTestDatabase({ jars: true });

const JARS = 100_000;
const LARGE = ["jars"];
const byKeys = app.readModels.filter(({ refresh }) => refresh === "changed keys").map(({ name }) => name);

beforeAll(async () => {
  await sql`
    insert into write.jars (id, label, grams, version)
    select ${uuid("n")}, 'Label ' || n % 1000, n % 1000, 2 from generate_series(1, ${JARS}::integer) as n`
    .execute(test.owner);
  await sql`analyze`.execute(test.owner);
}, 60_000);

describe("a definition that is refreshed by changed keys", () => {
  it.each(byKeys)(
    "of %s is computed for a few keys without reading a table from end to end",
    async (name) => {
      expect(await scannedByKey(test, `read.${name}_source`, LARGE)).toEqual([]);
    },
  );

  it("would be found out if its key were not pushed down", async () => {
    await sql`
      create view read.careless_source as
      select id as jar_id, sum(grams) over (partition by label) as total from write.jars`.execute(test.owner);
    expect(await scannedByKey(test, "read.careless_source", LARGE)).toEqual(LARGE);
  });
});
