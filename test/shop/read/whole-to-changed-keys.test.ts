import { sql } from "kysely";
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import type { OrderEvent, OrderPlaced } from "../../../src/features/ordering/events.ts";
import { type ReadModel, subscribeReadModel } from "../../../src/read/read-model.ts";
import { drain } from "../../../src/relay/drain.ts";
import { createRelay } from "../../../src/relay/relay.ts";
import type { RecordedEvent } from "../../../src/write/event.ts";
import { anOrder } from "../support/arrange.ts";
import { useTestDatabase } from "../../support/database.ts";

const test = useTestDatabase();

/** The read model of docs/read-models.md. */
const customerTotals = {
  name: "customer_totals",
  refresh: "whole",
  staleKeys: { OrderPlaced: (event) => [(event as RecordedEvent<OrderPlaced>).data.customerId] },
} as const satisfies ReadModel<OrderEvent["type"]>;

describe("docs/read-models.md", () => {
  it("begins with a materialized view and goes on with a table, by one migration and one line", async () => {
    const [definition, first, grown] = await readSql();
    await run(definition!);
    await run(first!);
    await anOrder(test.command);
    await drainInto(customerTotals);
    expect(await shown()).toEqual([{ orders: 1, total_cents: "9800" }]);

    await anOrder(test.command);
    await run(grown!);
    await anOrder(test.command);
    await drainInto({ ...customerTotals, refresh: "changed keys" });
    expect(await shown()).toHaveLength(3);
    expect(await run("select * from read.customer_totals except select * from read.customer_totals_source"))
      .toEqual([]);
  });
});

/** Returns the SQL of the document, block by block. */
async function readSql(): Promise<string[]> {
  const text = await readFile(new URL("../../../docs/read-models.md", import.meta.url), "utf8");
  return [...text.matchAll(/```sql\n(.*?)```/gs)].map(([, block]) => block!);
}

async function run(text: string): Promise<unknown[]> {
  return await test.owner.transaction().execute(async (trx) => (await sql.raw(text).execute(trx)).rows);
}

function drainInto(model: ReadModel) {
  return drain(createRelay({ db: test.relay, subscriptions: [subscribeReadModel(model)] }), 5_000);
}

async function shown(): Promise<unknown[]> {
  const { rows } = await sql`select orders, total_cents from read.customer_totals order by 1`.execute(
    test.query,
  );
  return rows;
}
