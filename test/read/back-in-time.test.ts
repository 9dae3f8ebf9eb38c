import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { readModelSubscriptions } from "../../src/compose.ts";
import { cancelOrder } from "../../src/features/ordering/commands/cancel-order.ts";
import { createRelay, drain, drainBatch } from "../../src/relay/drain.ts";
import { execute } from "../../src/write/execute.ts";
import { anOrder } from "../support/arrange.ts";
import { anybody } from "../support/context.ts";
import { useTestDatabase } from "../support/database.ts";
import { hold, untilBlocked } from "../support/hold.ts";

const test = useTestDatabase();

const [orderDetails] = readModelSubscriptions;
const GATE = sql`lock table write.gate in access exclusive mode`;

/**
 * The slow relay claims a batch, takes the snapshot for the refresh, and stops at a gate. The test puts the gate
 * into the definition, closed for the slow relay only.
 */
describe("a relay that is slow between its claim and its refresh", () => {
  it("never shows an older state after a newer one", async () => {
    await closeGateFor("slow relay");
    const id = await anOrder(test.command);
    const slow = createRelay({
      db: test.open(test.urls.relay, { max: 3, applicationName: "slow relay" }),
      subscriptions: [orderDetails!],
    });
    const fast = createRelay({ db: test.relay, subscriptions: [orderDetails!] });

    const gate = await hold(test.owner, (trx) => GATE.execute(trx));
    const refreshing = drain(slow, 10_000);
    await untilBlocked(test.owner);
    await execute(test.command, cancelOrder, { id, input: { reason: "too slow" } }, anybody);
    await drainBatch(fast);
    const seen = [await shownVersion(id)];
    await gate.commit();
    await refreshing;
    seen.push(await shownVersion(id));
    await drainBatch(fast);
    seen.push(await shownVersion(id));

    expect(seen).toEqual([...seen].sort());
    expect(seen.at(-1)).toBe(2);
  });
});

/** Puts a gate into the definition: sessions with the application name read the table of the gate. */
async function closeGateFor(applicationName: string): Promise<void> {
  await sql`create table write.gate ()`.execute(test.owner);
  await sql`
    create function read.pass() returns boolean language plpgsql volatile security definer as $$
    begin
      if current_setting('application_name') = ${
    sql.lit(applicationName)
  } then perform from write.gate; end if;
      return true;
    end $$`.execute(test.owner);
  await sql`call public.grant_to('relay', 'execute on function read.pass')`.execute(test.owner);
  const { rows } = await sql<{ definition: string }>`
    select pg_get_viewdef('read.order_details_source'::regclass) as definition`.execute(test.owner);
  const definition = rows[0]!.definition.replace("GROUP BY", "WHERE read.pass() GROUP BY");
  await sql`create or replace view read.order_details_source as ${sql.raw(definition)}`.execute(test.owner);
}

/** Returns the version shown by the read model, or 0 for an unknown order. */
async function shownVersion(id: string): Promise<number> {
  const shown = await test.query.selectFrom("read.order_details").select("version").where("order_id", "=", id)
    .executeTakeFirst();
  return shown?.version ?? 0;
}
