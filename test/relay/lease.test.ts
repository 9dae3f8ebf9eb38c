import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import type { Database } from "../../src/database/database.ts";
import { drain, drainBatch } from "../../src/relay/drain.ts";
import { withOwnTasks } from "../../src/relay/relay.ts";
import { handOut, settleLanes, takeLanes } from "../../src/relay/handlers/lanes.ts";
import { useTestDatabase } from "../support/database.ts";
import {
  addHandler,
  append,
  deleteLanes,
  handlerOf,
  handOutAndDie,
  letLeasesRunOut,
  listLanes,
  nameOf,
} from "../support/handlers.ts";
import { hold, untilBlocked } from "../support/hold.ts";
import { until } from "../support/until.ts";

const test = useTestDatabase();

describe("a lane in hand", () => {
  it("is nobody else's until the lease runs out", async () => {
    const told: string[] = [];
    const added = await addHandler(test, (event) => void told.push(nameOf(event)));
    await append(test, "a");
    await handOutAndDie(test, added);
    await drain(added.relay, 5_000);
    expect(told).toEqual([]);

    await letLeasesRunOut(test, added.name);
    await drain(added.relay, 5_000);
    expect(told).toEqual(["a1"]);
  });

  it("has run out when it ends later than a lease can: the clock was set back", async () => {
    const told: string[] = [];
    const added = await addHandler(test, (event) => void told.push(nameOf(event)));
    await append(test, "b");
    await handOutAndDie(test, added);
    await sql`update relay.lanes set due_at = due_at + interval '5 minutes'`.execute(test.owner);
    await drain(added.relay, 5_000);
    expect(told).toEqual(["b1"]);
  });

  it("that rests is due when the rest ends later than a rest can: the clock was set back", async () => {
    const told: string[] = [];
    let isBroken = true;
    const { relay } = await addHandler(test, (event) => {
      if (isBroken) throw new Error("no");
      told.push(nameOf(event));
    });
    await append(test, "j");
    await drain(relay, 5_000);
    isBroken = false;
    await drain(relay, 5_000);
    expect(told).toEqual([]);
    await sql`update relay.lanes set due_at = due_at + interval '5 minutes'`.execute(test.owner);
    await drain(relay, 5_000);
    expect(told).toEqual(["j1"]);
  });

  it("takes the events handed out meanwhile, and they follow in order", async () => {
    const told: string[] = [];
    let release = () => {};
    const atWork = new Promise<void>((resolve) => release = resolve);
    const { relay } = await addHandler(test, async (event) => {
      told.push(nameOf(event));
      await atWork;
    });
    await append(test, "c");
    await drainBatch(relay);
    await until("it works", () => told.length === 1);
    await append(test, "c");
    await append(test, "c");
    await drainBatch(relay);
    await until("they were handed out", async () => (await listLanes(test))[0]!.last_version === 3);
    release();
    await drain(relay, 5_000);
    expect(told).toEqual(["c1", "c2", "c3"]);
    expect(await listLanes(test)).toEqual([]);
  });

  it("is kept as long as the handler works", async () => {
    let release = () => {};
    const atWork = new Promise<void>((resolve) => release = resolve);
    const { name, relay } = await addHandler(test, () => atWork);
    await append(test, "e");
    const draining = drain(relay, 30_000);
    await until("it is leased", async () => (await listLanes(test)).length === 1);
    await sql`update relay.lanes set due_at = clock_timestamp() + interval '100 milliseconds' where subscription = ${name}`
      .execute(test.owner);
    await until("the lease was renewed", async () => {
      const { rows: [row] } = await sql<{ is_leased: boolean }>`
        select due_at > clock_timestamp() + interval '2 seconds' as is_leased from relay.lanes
        where subscription = ${name}`.execute(test.owner);
      return row!.is_leased;
    });
    release();
    expect(await draining).toMatchObject({ handled: 1 });
  });

  it("is given up by one who notices that it is lost: the rest is the other's", async () => {
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
          hasNoticed ||= told.length > 1 && result.rows.length === 0;
          return Promise.resolve(result);
        },
      }),
    };
    await drainBatch(late);
    await until("it works", () => told.length === 1);
    await letLeasesRunOut(test, name);
    await drain(relay, 5_000);
    expect(told).toEqual(["s1", "s1", "s2", "s3"]);
    await until("its lease could not be renewed", () => hasNoticed);
    release();
    await until("it has ended", () => !late.tasks.has(name));
    expect(told).toEqual(["s1", "s1", "s2", "s3"]);
  });

  it("cannot be settled by one who has lost it: what the other has done stays", async () => {
    const told: string[] = [];
    const releases: (() => void)[] = [];
    const { name, relay } = await addHandler(test, async (event) => {
      told.push(nameOf(event));
      await new Promise<void>((resolve) => releases.push(resolve));
    });
    const other = withOwnTasks(relay);
    await append(test, "f");
    const late = drain(relay, 30_000);
    await until("it works", () => told.length === 1);
    await letLeasesRunOut(test, name);
    await append(test, "f");
    const draining = drain(other, 30_000);
    await until("the other tries the first event again", () => told.length === 2);
    const before = await listLanes(test);

    releases[0]!();
    await until("the late one has done what it can", () => !relay.tasks.has(name));
    expect(await listLanes(test)).toEqual(before);
    releases[1]!();
    await until("the other goes on", () => told.length === 3);
    releases[2]!();
    await Promise.all([late, draining]);
    expect(told).toEqual(["f1", "f1", "f2"]);
  });

  it("made anew after it was done accepts no result of the old hold", async () => {
    const added = await addHandler(test, () => {});
    const { name } = added;
    await append(test, "g");
    await handOutAndDie(test, added);
    const { hold } = await holdOf(name);
    const result = { subscription: name, stream: "test-g", hold, to: 1 };
    expect(await settleLanes(test.relay, [result])).toEqual([]);
    await append(test, "g");
    await handOutAndDie(test, added);
    expect(await settleLanes(test.relay, [{ ...result, to: 2 }])).toEqual([]);
    expect(await listLanes(test)).toMatchObject([{ stream: "test-g", next_version: 2, state: "in hand" }]);
    await deleteLanes(test);
  });

  it("stays when more was handed out while the result waited for the lock", async () => {
    const added = await addHandler(test, () => {});
    const { name } = added;
    await append(test, "h");
    await handOutAndDie(test, added);
    const { hold: own } = await holdOf(name);
    const extending = await hold(
      test.owner,
      (trx) => sql`update relay.lanes set last_version = 2 where subscription = ${name}`.execute(trx),
    );
    const settling = settleLanes(test.relay, [{ subscription: name, stream: "test-h", hold: own, to: 1 }]);
    await untilBlocked(test.owner);
    await extending.commit();
    expect(await settling).toEqual([{ subscription: name, stream: "test-h", state: "ready" }]);
    expect(await listLanes(test)).toMatchObject([{ next_version: 2, last_version: 2, state: "ready" }]);
    await deleteLanes(test);
  });

  it("is taken by only one of two who look at the same time", async () => {
    const added = await addHandler(test, () => {});
    await append(test, "i");
    await handOutAndDie(test, added);
    await sql`update relay.lanes set state = 'ready', hold = 0, trying_to = null`.execute(test.owner);
    const handler = handlerOf(added);
    const rival = await hold(test.owner, (trx) => sql`select from relay.lanes for update`.execute(trx));
    expect(await takeLanes(test.relay, handler, { ready: 8 }, null)).toEqual([]);
    await rival.rollback();
    expect(await takeLanes(test.relay, handler, { ready: 8 }, null)).toHaveLength(1);
    expect(await takeLanes(test.relay, handler, { ready: 8 }, null)).toEqual([]);
    await deleteLanes(test);
  });
});

describe("a program with an older set of types", () => {
  it("hands nothing out while a newer program runs, and leaves the newer one's events in lanes alone", async () => {
    const told: string[] = [];
    const note = (who: string) => (event: Parameters<typeof nameOf>[0]) =>
      void told.push(`${who} ${nameOf(event)}`);
    const old = await addHandler(test, note("old"), { types: ["Tested"] });
    const young = await addHandler(test, note("new"), { types: ["Tested", "Fresh"], name: old.name });
    await append(test, "x");
    await drain(old.relay, 5_000);
    await drain(young.relay, 5_000);
    await append(test, "x", "Fresh");
    expect(await drain(old.relay, 5_000)).toEqual({ handled: 0, more: true });
    expect(told).toEqual(["old x1"]);

    await handOutAndDie(test, young);
    await letLeasesRunOut(test, old.name);
    await drain(old.relay, 5_000);
    expect(told).toEqual(["old x1"]);
    expect(await listLanes(test)).toMatchObject([{ stream: "test-x", next_version: 2, state: "resting" }]);
    await sql`update relay.lanes set due_at = clock_timestamp()`.execute(test.owner);
    await drain(young.relay, 5_000);
    expect(told).toEqual(["old x1", "new x2"]);
  });

  it("is refused by the database, too, if it has not heard of the newer program", async () => {
    const old = await addHandler(test, () => {}, { types: ["Tested"] });
    const young = await addHandler(test, () => {}, { types: ["Fresh", "Tested"], name: old.name });
    await drain(old.relay, 5_000);
    await drain(young.relay, 5_000);
    const { position: from } = await checkpointOf(old.name);
    const batch = { from, to: from + 1, work: [] };
    expect(await handOut(test.relay, handlerOf(old), batch)).toMatchObject({ hold: null, position: from });
    expect(await checkpointOf(old.name)).toEqual({ position: from });
  });

  it("goes on when no newer program was seen for a minute, as after a rollback", async () => {
    const told: string[] = [];
    const old = await addHandler(test, (event) => void told.push(nameOf(event)), { types: ["Tested"] });
    const young = await addHandler(test, () => {}, { types: ["Fresh", "Tested"], name: old.name });
    await drain(old.relay, 5_000);
    await drain(young.relay, 5_000);
    await append(test, "y");
    await drain(old.relay, 5_000);
    expect(told).toEqual([]);
    await sql`update relay.handled_types set seen_at = seen_at - interval '2 minutes'`.execute(test.owner);
    await drain(old.relay, 5_000);
    expect(told).toEqual(["y1"]);
  });
});

describe("a batch", () => {
  it("is handed out by one of two relays: the other is told where the checkpoint is", async () => {
    const added = await addHandler(test, () => {});
    await drain(added.relay, 5_000);
    const { position: from } = await checkpointOf(added.name);
    const work = [{ stream: "test-z", first: 1, last: 1, since: new Date() }];
    const claim = (trx: Database) => sql`select relay.claim(${added.name}, ${from})`.execute(trx);
    const rival = await hold(test.relay, claim);
    const batch = { from, to: from + 1, work };
    expect(await handOut(test.relay, handlerOf(added), batch)).toMatchObject({ hold: null, position: from });
    await rival.rollback();
    await sql`update relay.checkpoints set position = position + 1 where subscription = ${added.name}`
      .execute(test.owner);
    expect(await handOut(test.relay, handlerOf(added), batch)).toMatchObject({
      hold: null,
      position: from + 1,
    });
    expect(await listLanes(test)).toEqual([]);
    await sql`update relay.checkpoints set position = ${from} where subscription = ${added.name}`.execute(
      test.owner,
    );
  });
});

async function checkpointOf(name: string): Promise<{ position: number }> {
  return await test.owner.selectFrom("relay.checkpoints").select("position").where("subscription", "=", name)
    .executeTakeFirstOrThrow();
}

async function holdOf(name: string): Promise<{ hold: number }> {
  return await test.owner.selectFrom("relay.lanes").select("hold").where("subscription", "=", name)
    .executeTakeFirstOrThrow();
}
