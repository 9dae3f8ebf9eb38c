import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { subscribeReadModel } from "../../src/read/read-model.ts";
import { drainBatch } from "../../src/relay/drain.ts";
import { createRelay, type Relay } from "../../src/relay/relay.ts";
import { execute } from "../../src/write/execute.ts";
import { aJar } from "../jars/arrange.ts";
import { fillJar, jarDetails } from "../jars/jar.ts";
import { anybody } from "../support/context.ts";
import { useTestDatabase } from "../support/database.ts";
import { hold, untilBlocked } from "../support/hold.ts";

const test = useTestDatabase({ jars: true });

const details = subscribeReadModel(jarDetails);
const GATE = sql`lock table write.gate in access exclusive mode`;

/**
 * The slow relay claims a batch, takes the snapshot for the refresh, and stops at a gate. The test puts the
 * gate into the definition, closed for the slow relay only.
 */
describe("a relay that is slow between its claim and its refresh", () => {
  it("never shows an older state after a newer one", async () => {
    await closeGateFor("slow relay");
    const id = await aJar(test.command);
    const slow = createRelay({
      db: test.open(test.urls.relay, { max: 3, applicationName: "slow relay" }),
      subscriptions: [details],
    });
    const fast = createRelay({ db: test.relay, subscriptions: [details] });

    const gate = await hold(test.owner, (trx) => GATE.execute(trx));
    const refreshing = drainOnce(slow);
    await untilBlocked(test.owner);
    await execute(test.command, fillJar, { id, input: { grams: 5 } }, anybody);
    await drainOnce(fast);
    const seen = [await shownVersion(id)];
    await gate.commit();
    await refreshing;
    seen.push(await shownVersion(id));
    await drainOnce(fast);
    seen.push(await shownVersion(id));

    expect(seen).toEqual([...seen].sort());
    expect(seen.at(-1)).toBe(2);
  });
});

/** A single batch: a drain would go on, and so hide an older state. */
async function drainOnce(relay: Relay): Promise<void> {
  await drainBatch(relay);
  await relay.tasks.waitForAll(10_000);
}

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
  await sql`call migrations.grant_to('relay', 'execute on function read.pass')`.execute(test.owner);
  const { rows } = await sql<{ definition: string }>`
    select pg_get_viewdef('read.jar_details_source'::regclass) as definition`.execute(test.owner);
  const definition = rows[0]!.definition.replace(/;$/, " WHERE read.pass()");
  await sql`create or replace view read.jar_details_source as ${sql.raw(definition)}`.execute(test.owner);
}

/** Returns the version shown by the read model, or 0 for an unknown jar. */
async function shownVersion(id: string): Promise<number> {
  const shown = await test.query.selectFrom("read.jar_details").select("version").where("jar_id", "=", id)
    .executeTakeFirst();
  return shown?.version ?? 0;
}
