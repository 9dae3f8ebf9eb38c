import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { ask } from "../../src/read/ask.ts";
import { subscribeReadModel } from "../../src/read/read-model.ts";
import { drain } from "../../src/relay/drain.ts";
import { createRelay } from "../../src/relay/relay.ts";
import { jarDetails } from "../jars/jar.ts";
import { findBrokenPromises } from "../support/as-of.ts";
import { useTestDatabase } from "../support/database.ts";
import { append } from "../support/handlers.ts";
import { hold } from "../support/hold.ts";
import { seededRandom } from "../support/random.ts";

const test = useTestDatabase({ jars: true });

const details = subscribeReadModel(jarDetails);
const numberOnly = () => drain(createRelay({ db: test.relay, subscriptions: [] }), 5_000);
const drainAll = () => drain(createRelay({ db: test.relay, subscriptions: [details] }), 5_000);
const askDetails = () =>
  ask(test.query, jarDetails, { level: "eventual" }, (from) => test.query.selectFrom(from).selectAll());

describe("As-Of: every event committed before is in the answer", () => {
  it("also while 16 writers commit late, and a relay numbers and refreshes a few events at a time", async () => {
    const random = seededRandom("as of");
    const command = test.open(test.urls.command, { max: 16 });
    const relay = createRelay({ db: test.relay, subscriptions: [details] });
    const asked = [test.query, test.query, test.query];
    const found = await findBrokenPromises({
      command,
      asked,
      relay,
      readModel: "jar_details",
      owner: test.owner,
    }, random);
    expect(found.missing).toEqual([]);
    expect(found.isBehind).toBe(true);
    expect(found.answers).toBeGreaterThan(50);
  });

  it("is the time of the next event, numbered or not, although others took longer to commit", async () => {
    await drainAll();
    const slow = await hold(test.command, (trx) => append({ command: trx }, "slow"));
    const before = new Date();
    await append(test, "quick");
    expect((await askDetails()).asOf).toEqual(await recordedAt("test-quick"));
    await numberOnly();
    expect((await askDetails()).asOf).toEqual(await recordedAt("test-quick"));
    await slow.commit();
    await numberOnly();
    // The slow event was recorded first, and committed last.
    expect((await recordedAt("test-slow")).getTime()).toBeLessThanOrEqual(before.getTime());
    expect((await askDetails()).asOf).toEqual(await recordedAt("test-quick"));
    await drainAll();
    expect((await askDetails()).asOf.getTime()).toBeGreaterThanOrEqual(before.getTime());
  });

  it("costs a look at a few pages, however many events are missing", async () => {
    // The rows that the tests before have deleted are no events that are missing.
    await sql`vacuum relay.log, write.outbox`.execute(test.owner);
    await sql`
      select write.append('test-many', 0, (
        select jsonb_agg(jsonb_build_object('id', gen_random_uuid(), 'type', 'Tested', 'data', '{}'::jsonb, 'metadata', '{}'::jsonb))
        from generate_series(1, 5000)), null)`.execute(test.command);
    expect(await pagesOfFreshness()).toBeLessThan(40);
    for (let numbered = 0; numbered < 5; numbered++) await numberOnly();
    await sql`vacuum (analyze) relay.log, write.outbox`.execute(test.owner);
    expect(await pagesOfFreshness()).toBeLessThan(40);
  });
});

async function recordedAt(stream: string): Promise<Date> {
  const row = await test.owner.selectFrom("write.events").select("recorded_at").where("stream", "=", stream)
    .executeTakeFirstOrThrow();
  return row.recorded_at;
}

async function pagesOfFreshness(): Promise<number> {
  const { rows: [row] } = await sql<{ "QUERY PLAN": [{ Plan: Record<string, number> }] }>`
    explain (analyze, buffers, format json) select * from read.freshness where read_model = 'jar_details'`
    .execute(test.owner);
  const { Plan: plan } = row!["QUERY PLAN"][0];
  return plan["Shared Hit Blocks"]! + plan["Shared Read Blocks"]!;
}
