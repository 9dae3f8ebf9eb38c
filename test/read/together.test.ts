import { sql } from "kysely";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { subscribeReadModel } from "../../src/read/read-model.ts";
import { drain, drainBatch } from "../../src/relay/drain.ts";
import { createRelay, type Relay, withOwnTasks } from "../../src/relay/relay.ts";
import { relayStatus } from "../../src/relay/status.ts";
import { aJar } from "../jars/arrange.ts";
import { jarDetails } from "../jars/jar.ts";
import { useTestDatabase } from "../support/database.ts";
import { appendMany, countStatements } from "../support/handlers.ts";
import { hold } from "../support/hold.ts";

const test = useTestDatabase({ jars: true });

/** Two read models of the same shape. */
const subscriptions = [jarDetails, { ...jarDetails, name: "jar_copies" }].map(subscribeReadModel);
const createOwn = () => createRelay({ db: test.relay, subscriptions });

beforeAll(async () => {
  await sql.raw(`
    create view read.jar_copies_source as select * from read.jar_details_source;
    call read.add_model('jar_copies', key => 'jar_id')`).execute(test.owner);
});

beforeEach(async () => {
  await define("version");
  await sql`update relay.checkpoints set rests_until = '-infinity'`.execute(test.owner);
  await drain(createOwn(), 10_000);
});

/** Defines the last column of the copies. */
async function define(version: string): Promise<void> {
  await sql`create or replace view read.jar_copies_source as
    select jar_id, label, grams, ${sql.raw(version)} as version from read.jar_details_source`.execute(
    test.owner,
  );
}

async function lags(): Promise<number[]> {
  return (await relayStatus(test.relay, subscriptions)).subscriptions.map(({ lag }) => lag);
}

async function drainOnce(relay: Relay): Promise<void> {
  await drainBatch(relay);
  await relay.tasks.waitForAll(10_000);
}

describe("read models at the same position", () => {
  it("are refreshed by one statement", async () => {
    await aJar(test.command, { grams: 5 });
    const { db, count } = countStatements(test.relay);
    await drainOnce(withOwnTasks({ ...createOwn(), db }));
    expect(await lags()).toEqual([0, 0]);
    expect(await isSame()).toBe(true);
    // To look, to read the events after a position that the relay has not seen before, and to refresh.
    expect(count()).toBe(3);
  });

  it("cost a look and a refresh: the look brings the events", async () => {
    const { db, count } = countStatements(test.relay);
    const relay = withOwnTasks({ ...createOwn(), db });
    await drainOnce(relay);
    const before = count();
    await aJar(test.command, { grams: 5 });
    await drainOnce(relay);
    expect(await lags()).toEqual([0, 0]);
    expect(await isSame()).toBe(true);
    expect(count() - before).toBe(2);
  });

  it("read the events by pages of the wanted size, however many the look brings", async () => {
    const relay = createOwn();
    await drainOnce(relay);
    for (let jar = 0; jar < 3; jar++) await aJar(test.command);
    const other = createOwn();
    await drainOnce(other);
    await sql`update relay.checkpoints set position = position - 3 where subscription like 'jar_%'`
      .execute(test.owner);
    await drainBatch(relay, 2);
    await relay.tasks.waitForAll(10_000);
    expect(await lags()).toEqual([1, 1]);
    await drainOnce(relay);
    expect(await lags()).toEqual([0, 0]);
  });

  it("read the events themselves when the look finds too many to bring", async () => {
    const { db, count } = countStatements(test.relay);
    const relay = withOwnTasks({ ...createOwn(), db });
    await drainOnce(relay);
    const before = count();
    await appendMany(test, 100, "many");
    const id = await aJar(test.command);
    await drainOnce(relay);
    expect(count() - before).toBe(3);
    expect(await lags()).toEqual([0, 0]);
    expect(await isSame()).toBe(true);
    const { rows } = await sql`select from read.jar_copies where jar_id = ${id}`.execute(test.query);
    expect(rows).toHaveLength(1);
  });

  it("go on without the one that fails", async () => {
    await define("version / (version - version)");
    await aJar(test.command);
    await drainOnce(createOwn());
    expect(await lags()).toEqual([0, 1]);
    await define("version");
    await sql`update relay.checkpoints set rests_until = '-infinity'`.execute(test.owner);
    await drainOnce(createOwn());
    expect(await lags()).toEqual([0, 0]);
  });

  it("go on without the one in another relay's hands", async () => {
    const { position } = (await relayStatus(test.relay, subscriptions)).subscriptions[0]!;
    const claimed = await hold(
      test.relay,
      (trx) => sql`select relay.claim('jar_copies', ${position})`.execute(trx),
    );
    await aJar(test.command);
    await drainOnce(createOwn());
    expect(await lags()).toEqual([0, 1]);
    await claimed.commit();
    await drainOnce(createOwn());
    expect(await lags()).toEqual([0, 0]);
  });

  it("are left alone by a relay that comes late", async () => {
    const { position } = (await relayStatus(test.relay, subscriptions)).subscriptions[0]!;
    const stale = JSON.stringify([{ name: "jar_details", keys: [] }]);
    const call = sql<string[]>`relay.refresh_together(${position - 1}, ${
      position + 1
    }, ${stale}::text::jsonb)`;
    expect(await test.relay.selectNoFrom(call.as("claimed")).execute()).toEqual([{ claimed: [] }]);
    expect(await lags()).toEqual([0, 0]);
  });

  it("do not keep the one that has an event to try again from trying", async () => {
    const id = await aJar(test.command);
    await drainOnce(createOwn());
    await sql`
      insert into relay.set_aside (subscription, position, stream, version, due_at, attempts, last_error)
      select 'jar_copies', position, stream, version, now(), 1, 'failed' from write.events
      join relay.log on event_id = events.id where stream = ${`jar-${id}`}`.execute(test.owner);
    await aJar(test.command);
    await drainOnce(createOwn());
    expect(await lags()).toEqual([0, 0]);
  });

  it("do not wait again for the one that was slow", async () => {
    await define("version + (select count(*) from pg_sleep(0.1))::integer - 1");
    const relay = createOwn();
    await aJar(test.command);
    await drainOnce(relay);
    expect([...relay.apart].toSorted()).toEqual(["jar_copies", "jar_details"]);
    await aJar(test.command);
    await drainOnce(relay);
    expect(relay.apart).toContain("jar_copies");

    await define("version");
    for (let rounds = 0; rounds < 20 && relay.apart.size > 0; rounds++) {
      await aJar(test.command);
      await drainOnce(relay);
    }
    expect([...relay.apart]).toEqual([]);
  });
});

async function isSame(): Promise<boolean> {
  const { rows } = await sql`
    (table read.jar_copies except table read.jar_details) union all (table read.jar_details except table read.jar_copies)`
    .execute(test.query);
  return rows.length === 0;
}
