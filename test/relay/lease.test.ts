import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { createRelay, drain, drainBatch, withOwnTasks } from "../../src/relay/drain.ts";
import { listEvents } from "../../src/relay/events.ts";
import { useTestDatabase } from "../support/database.ts";
import { addHandler, append, nameOf } from "../support/handlers.ts";
import { until } from "../support/until.ts";

const test = useTestDatabase();

describe("a leased batch", () => {
  it("is nobody else's until the lease runs out", async () => {
    const told: string[] = [];
    const { name, relay } = await addHandler(test, (event) => void told.push(nameOf(event)));
    await append(test, "a");
    await leaseAndDie(name);
    await drain(relay, 5_000);
    expect(told).toEqual([]);

    await letLeaseRunOut(name);
    await drain(relay, 5_000);
    expect(told).toEqual(["a1"]);
  });

  it("is refused to one who looked before it was leased", async () => {
    const { name, relay } = await addHandler(test, () => {});
    await append(test, "i");
    await leaseAndDie(name);
    const before = await checkpoints();
    const [subscription] = relay.subscriptions;
    const { position: from } = before.find((checkpoint) => checkpoint.subscription === name)!;
    const events = await listEvents(test.relay, from, 10);
    expect(await subscription!.handle(test.relay, { from, to: events.at(-1)!.position, events })).toBe(false);
    expect(await checkpoints()).toEqual(before);
    await letLeaseRunOut(name);
    await drain(relay, 5_000);
  });

  it("cannot be settled by one who has lost it while another has the next one", async () => {
    const told: string[] = [];
    const releases: (() => void)[] = [];
    const { name, relay } = await addHandler(test, async (event) => {
      told.push(nameOf(event));
      await new Promise<void>((resolve) => releases.push(resolve));
    });
    const other = withOwnTasks(relay);
    await append(test, "j");
    const late = drain(relay, 30_000);
    await until("it works", () => told.length === 1);
    await letLeaseRunOut(name);
    await append(test, "k");
    const draining = drain(other, 30_000);
    await until("the other tries the first event again, and has the next batch", () => told.length === 3);
    const before = (await checkpoints()).map(({ position, leased_to }) => ({ position, leased_to }));

    releases[0]!();
    await until("the late one has done what it can", () => !relay.tasks.has(name));
    expect((await checkpoints()).map(({ position, leased_to }) => ({ position, leased_to }))).toEqual(before);
    releases.slice(1).forEach((release) => release());
    await Promise.all([late, draining]);
    expect(told.toSorted()).toEqual(["j1", "j1", "k1"]);
  });

  it("that was lost is handled event by event, each alone, and in order", async () => {
    const told: string[] = [];
    let atOnce = 0;
    const { name, relay } = await addHandler(test, async (event) => {
      expect(++atOnce).toBe(1);
      await Promise.resolve();
      atOnce--;
      told.push(nameOf(event));
    });
    for (const stream of ["b", "c", "b", "d"]) await append(test, stream);
    await leaseAndDie(name);
    await letLeaseRunOut(name);
    await drain(relay, 5_000);
    expect(told.toSorted()).toEqual(["b1", "b2", "c1", "d1"]);
    expect(told.indexOf("b1")).toBeLessThan(told.indexOf("b2"));
    expect(await test.owner.selectFrom("relay.retries").selectAll().execute()).toEqual([]);
  });

  it("is kept as long as the handler works", async () => {
    let release = () => {};
    const atWork = new Promise<void>((resolve) => release = resolve);
    const { name, relay } = await addHandler(test, () => atWork);
    await append(test, "e");
    const draining = drain(relay, 30_000);
    await until("it is leased", () => leasedTo(name));
    await sql`
      update relay.checkpoints set leased_until = clock_timestamp() + interval '10 milliseconds'
      where subscription = ${name}`.execute(test.owner);
    await until("the lease was renewed", async () => {
      const { rows: [row] } = await sql<{ is_leased: boolean }>`
        select leased_until > clock_timestamp() + interval '2 seconds' as is_leased
        from relay.checkpoints where subscription = ${name}`.execute(test.owner);
      return row!.is_leased;
    });
    release();
    expect(await draining).toMatchObject({ handled: 1 });
  });

  it("is given up by one who notices that it is lost: the rest of the batch is the other's", async () => {
    const told: string[] = [];
    let release = () => {};
    const stopped = new Promise<void>((resolve) => release = resolve);
    const { name, relay } = await addHandler(test, async (event) => {
      told.push(nameOf(event));
      if (told.length === 1) await stopped;
    });
    for (const stream of ["s", "s", "s"]) await append(test, stream);
    let hasNoticed = false;
    const late = {
      ...withOwnTasks(relay),
      db: test.relay.withPlugin({
        transformQuery: ({ node }) => node,
        transformResult({ result }) {
          hasNoticed ||= result.numAffectedRows === 0n;
          return Promise.resolve(result);
        },
      }),
    };
    await drainBatch(late);
    await until("it works", () => told.length === 1);
    await letLeaseRunOut(name);
    await drain(relay, 5_000);
    expect(told).toEqual(["s1", "s1", "s2", "s3"]);
    await until("its lease could not be renewed", () => hasNoticed);
    release();
    await until("it has ended", () => !late.tasks.has(name));
    expect(told).toEqual(["s1", "s1", "s2", "s3"]);
  });

  it("cannot be settled by one who has lost it: what the other has done stays", async () => {
    const told: string[] = [];
    let release = () => {};
    const stopped = new Promise<void>((resolve) => release = resolve);
    const { name, relay } = await addHandler(test, async (event) => {
      told.push(nameOf(event));
      if (told.length === 1) await stopped;
    });
    const other = withOwnTasks(relay);
    await append(test, "f");
    const late = drainBatch(relay);
    await until("it works", () => told.length === 1);
    await letLeaseRunOut(name);
    await drain(other, 5_000);
    await append(test, "f");
    await drain(other, 5_000);
    const before = await checkpoints();
    expect(told).toEqual(["f1", "f1", "f2"]);

    release();
    await late;
    await drain(relay, 5_000);
    expect(await checkpoints()).toEqual(before);
    expect(told).toEqual(["f1", "f1", "f2"]);
  });
});

/** Leases the next batch for a minute, as a relay would just before a crash. */
async function leaseAndDie(name: string): Promise<void> {
  await drain(createRelay({ db: test.relay, subscriptions: [] }), 5_000);
  await sql`
    select relay.lease(${name}, position, (select max(position) from relay.log), '{}', 60000)
    from relay.checkpoints where subscription = ${name}`.execute(test.relay);
}

async function letLeaseRunOut(name: string): Promise<void> {
  await sql`update relay.checkpoints set leased_until = clock_timestamp() where subscription = ${name}`
    .execute(
      test.owner,
    );
}

async function leasedTo(name: string): Promise<number | null> {
  const { leased_to } = await test.owner.selectFrom("relay.checkpoints").select("leased_to")
    .where("subscription", "=", name).executeTakeFirstOrThrow();
  return leased_to;
}

async function checkpoints() {
  const { rows } = await sql<
    { subscription: string; position: number; leased_to: number | null }
  >`select subscription, position, fence, leased_to, leased_until, rests_until from relay.checkpoints order by 1`
    .execute(test.owner);
  return rows;
}
