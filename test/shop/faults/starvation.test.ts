import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { app } from "../../../src/app.ts";
import { limitsOf } from "../../../src/process/limits.ts";
import { hold } from "../../support/hold.ts";
import { useRunningShop } from "../support/running-shop.ts";
import { until } from "../../support/until.ts";

const MAX = limitsOf(app).query.max;

const shop = useRunningShop();

describe("queries that take every connection they may have", () => {
  it("keep neither a command nor the relay from its work", async () => {
    // Only queries for sales wait for the lock of the refresh.
    const held = await hold(
      shop.database.owner,
      (trx) => sql`refresh materialized view read.sales_by_day`.execute(trx),
    );
    let stopping = false;
    const hogs = Array.from({ length: 3 * MAX }, async () => {
      while (!stopping) await fetch(`${shop.url}/sales/daily?from=2026-01-01&to=2026-01-02`);
    });
    await until(
      "every connection for queries is taken",
      async () => await queriesThatWait() === MAX,
    );

    const { status, body } = await addProduct();
    expect(status).toBe(201);
    await until("the relay has shown it", async () => {
      const shown = await shop.database.owner.selectFrom("read.product_catalog").select("name")
        .where("product_id", "=", body.id).execute();
      return shown.length > 0;
    });
    expect(await queriesThatWait()).toBeGreaterThan(0);

    stopping = true;
    await held.rollback();
    await Promise.all(hogs);
  });
});

async function addProduct(): Promise<{ status: number; body: { id: string } }> {
  const response = await fetch(`${shop.url}/products`, {
    method: "POST",
    body: JSON.stringify({ name: "Desk lamp", priceCents: 4_900 }),
    headers: { "Content-Type": "application/json" },
  });
  return { status: response.status, body: await response.json() as { id: string } };
}

async function queriesThatWait(): Promise<number> {
  const { rows } = await sql`
    select from pg_stat_activity join pg_locks using (pid)
    where usename = current_database() || '_query' and not granted`.execute(shop.database.owner);
  return rows.length;
}
