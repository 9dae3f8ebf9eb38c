import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { itself, subscribeReadModel } from "../../src/read/read-model.ts";
import { drain } from "../../src/relay/drain.ts";
import { createRelay } from "../../src/relay/relay.ts";
import { execute } from "../../src/write/execute.ts";
import { aJar } from "../jars/arrange.ts";
import { fillJar, gramsByLabel } from "../jars/jar.ts";
import { anybody } from "../support/context.ts";
import { useTestDatabase } from "../support/database.ts";

const test = useTestDatabase({ jars: true });

/** Counts filled jars only, see slowDown: the opening of a jar does not concern the read model. */
const grams = subscribeReadModel({ ...gramsByLabel, staleKeys: { JarFilled: itself } });
const drainGrams = () => drain(createRelay({ db: test.relay, subscriptions: [grams] }), 5_000);

describe("a read model that is refreshed whole", () => {
  it("is due again after nine times as long as the refresh took, and not before", async () => {
    await slowDown("0.2");
    await aJar(test.command, { grams: 5 });
    const startedAt = performance.now();
    await drainGrams();
    const tookMs = performance.now() - startedAt;
    expect(await jarsFilled()).toBe(1);

    await aJar(test.command, { grams: 5 });
    await drainGrams();
    expect(await jarsFilled()).toBe(1);
    const dueInMs = await dueIn();
    expect(dueInMs).toBeGreaterThan(1_000);
    expect(dueInMs).toBeLessThan(9 * tookMs);

    await makeDue();
    await drainGrams();
    expect(await jarsFilled()).toBe(2);
  });

  it("is not refreshed for events that do not concern it", async () => {
    await slowDown("0");
    await makeDue();
    const before = await filenode();
    await aJar(test.command);
    expect((await drainGrams()).handled).toBe(1);
    expect(await dueIn()).toBeLessThanOrEqual(0);
    expect(await filenode()).toEqual(before);
  });

  it("counts a jar whose first event was passed over", async () => {
    const id = await aJar(test.command);
    await drainGrams();
    await execute(test.command, fillJar, { id, input: { grams: 5 } }, anybody);
    await makeDue();
    await drainGrams();
    expect(await jarsFilled()).toBe(3);
  });
});

/** Makes each refresh sleep for the given seconds. */
async function slowDown(seconds: string): Promise<void> {
  await sql`
    create or replace view read.grams_by_label_source as
    select label, count(*) as jars, sum(grams)::bigint as grams
    from write.jars where grams > 0 group by label`
    .execute(test.owner);
  await sql`drop materialized view read.grams_by_label`.execute(test.owner);
  await sql`create materialized view read.grams_by_label as
    select source.* from read.grams_by_label_source as source, (select pg_sleep(${
    sql.lit(seconds)
  }::float)) as slow`.execute(test.owner);
  await sql`create unique index on read.grams_by_label (label)`.execute(test.owner);
}

async function jarsFilled(): Promise<number> {
  const { rows } = await sql<{ jars: number }>`select sum(jars)::bigint as jars from read.grams_by_label`
    .execute(test.query);
  return rows[0]?.jars ?? 0;
}

async function dueIn(): Promise<number> {
  const { rows } = await sql<{ ms: number }>`
    select greatest(extract(epoch from rests_until - clock_timestamp()) * 1000, -1)::float as ms
    from relay.checkpoints where subscription = 'grams_by_label'`.execute(test.relay);
  return rows[0]!.ms;
}

async function makeDue(): Promise<void> {
  await sql`update relay.checkpoints set rests_until = '-infinity'`.execute(test.relay);
}

/** Returns the transaction id of the rows: each refresh of the view changes the id. */
async function filenode() {
  const { rows } = await sql`select max(xmin::text) from read.grams_by_label`.execute(test.owner);
  return rows;
}
