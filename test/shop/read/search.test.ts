import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { listProducts } from "../../../src/features/catalog/queries/product-catalog.ts";
import type { Database } from "../../../src/database/database.ts";
import { useTestDatabase } from "../../support/database.ts";
import { newestAndOldest } from "../../support/servers.ts";

const NAMES = ["ÄPFEL", "ЖУК", "ΟΔΟΣ", "ÉCLAIR", "DESK LAMP"];
const SEARCHES = ["äpfel", "жук", "οδο", "éclair", "desk lamp"];

const SERVERS = await newestAndOldest("search");

describe.each(SERVERS)("in a database with the locale C, on $server,", ({ useServer }) => {
  const test = useTestDatabase({
    adminUrl: useServer(),
    properties: "encoding 'UTF8' locale_provider libc locale 'C'",
  });

  const search = async (db: Database) =>
    await Promise.all(SEARCHES.map(async (text) => {
      const { rows } = await listProducts(db, { search: text, limit: 10 }, { level: "eventual" });
      return rows.map(({ name }) => name);
    }));

  it("products are found by parts of their names in any case, with the index or without", async () => {
    await sql`
      insert into read.product_catalog (product_id, name, price_cents, available, version)
      select gen_random_uuid(), name, 1, 0, 1 from unnest(${NAMES}::text[]) as name`.execute(test.owner);
    const found = NAMES.map((name) => [name]);
    expect(await search(test.query)).toEqual(found);

    await test.owner.transaction().execute(async (trx) => {
      await sql`set local enable_seqscan = off`.execute(trx);
      expect(await search(trx)).toEqual(found);
      const { rows } = await sql`
        explain select from read.product_catalog where name collate "und-x-icu" ilike '%lamp%'`.execute(trx);
      expect(JSON.stringify(rows)).toContain("product_catalog_for_search_idx");
      const { rows: short } = await sql`explain select from read.product_catalog
        where lower(name collate "und-x-icu") like lower('Äp%' collate "und-x-icu")`.execute(trx);
      expect(JSON.stringify(short)).toContain("product_catalog_for_prefix_idx");
    });
  });
});
