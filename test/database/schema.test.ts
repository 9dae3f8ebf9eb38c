import { sql } from "kysely";
import { expect, it } from "vitest";
import { useTestDatabase } from "../support/database.ts";
import { describeSchema } from "../support/schema.ts";

const test = useTestDatabase();

it("The schema is the one in schema.txt, which PostgreSQL 18 tells in its own words", async ({ skip }) => {
  const { rows: [row] } = await sql<{ version: number }>`
    select current_setting('server_version_num')::integer / 10000 as version`.execute(test.owner);
  skip(row!.version !== 18, "other versions write definitions in other words");
  await expect(await describeSchema(test.owner)).toMatchFileSnapshot("schema.txt");
});
