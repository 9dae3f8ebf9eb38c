import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { DatabaseUnavailable, VersionConflict } from "../../src/errors.ts";
import { numberEvents } from "../../src/relay/number.ts";
import { createRelay, drain, drainBatch } from "../../src/relay/drain.ts";
import { passBatch } from "../../src/relay/handlers/lease.ts";
import { listParked, retryParked } from "../../src/relay/handlers/parked.ts";
import type { Subscription } from "../../src/relay/subscription.ts";
import { Tasks } from "../../src/relay/tasks.ts";
import { useTestDatabase } from "../support/database.ts";
import { addHandler, append, makeDue, nameOf } from "../support/handlers.ts";
import { until } from "../support/until.ts";

const test = useTestDatabase();

describe("a handler", () => {
  it("is told of every event, those of a stream in order, and its checkpoint moves afterwards", async () => {
    const told: string[] = [];
    const { name, relay } = await addHandler(test, async (event) => {
      expect((await checkpoint(name)).position).toBeLessThan(event.position);
      told.push(nameOf(event));
    });
    for (const stream of ["a", "b", "a", "a", "b"]) await append(test, stream);

    expect((await drain(relay, 5_000)).handled).toBe(5);
    expect(told.toSorted()).toEqual(["a1", "a2", "a3", "b1", "b2"]);
    expect(told.filter((name) => name.startsWith("a"))).toEqual(["a1", "a2", "a3"]);
    expect(await checkpoint(name)).toMatchObject({ leased_to: null, last_error: null });
    expect((await drain(relay, 5_000)).handled).toBe(0);
  });

  it("is not told of events that do not concern it, and costs one round trip then", async () => {
    const told: string[] = [];
    const { name, relay } = await addHandler(test, (event) => void told.push(nameOf(event)), {
      concerns: ({ type }) => type === "Wanted",
    });
    await append(test, "c");
    await drain(relay, 5_000);
    expect((await checkpoint(name)).fence).toBe(0);
    await append(test, "c", "Wanted");
    await drain(relay, 5_000);
    expect(told).toEqual(["c2"]);
  });

  it("tries again what failed; only its stream waits, and follows in order", async () => {
    const told: string[] = [];
    let broken = true;
    const { relay } = await addHandler(test, (event) => {
      if (broken && nameOf(event) === "d1") throw new Error("not now");
      told.push(nameOf(event));
    });
    for (const stream of ["d", "e", "d"]) await append(test, stream);
    await drain(relay, 5_000);
    await append(test, "d");
    await append(test, "e");
    await drain(relay, 5_000);
    expect(told.toSorted()).toEqual(["e1", "e2"]);

    broken = false;
    await drainWhatIsDue(relay);
    expect(told.slice(2)).toEqual(["d1", "d2", "d3"]);
    expect(await setAside()).toEqual([]);
  });

  it("parks what fails too often, until the operator has it tried again", async () => {
    const told: string[] = [];
    let broken = true;
    const { name, relay } = await addHandler(test, (event) => {
      told.push(nameOf(event));
      if (broken && nameOf(event) === "f1") throw new Error("never");
    }, { attemptsMax: 3 });
    for (const stream of ["f", "f", "g"]) await append(test, stream);
    for (let round = 0; round < 6; round++) await drainWhatIsDue(relay);
    expect(told.toSorted()).toEqual(["f1", "f1", "f1", "g1"]);

    const [parked] = await listParked(test.relay, 0, 10);
    expect(parked).toMatchObject({
      subscription: name,
      stream: "test-f",
      version: 1,
      attempts: 3,
      error: "never",
      waiting: 1,
    });
    expect(await retryParked(test.relay, { subscription: name })).toBe(1);
    await drainWhatIsDue(relay);
    expect(await listParked(test.relay, 0, 10)).toMatchObject([{ id: parked!.id, attempts: 4 }]);

    broken = false;
    expect(await retryParked(test.relay, { id: parked!.id })).toBe(1);
    await drainWhatIsDue(relay);
    expect(told.slice(-2)).toEqual(["f1", "f2"]);
    expect(await setAside()).toEqual([]);
  });

  it("has an event fail that does not end in time, and tells it so", async () => {
    const reasons: unknown[] = [];
    const hang = (signal: AbortSignal) =>
      new Promise<void>(() => signal.addEventListener("abort", () => reasons.push(signal.reason.message)));
    const { relay } = await addHandler(test, (_event, signal) => hang(signal), {
      timeoutMs: 50,
      attemptsMax: 1,
    });
    await append(test, "h");
    for (let round = 0; round < 3; round++) await drainWhatIsDue(relay);
    expect(reasons).toEqual(Array(2).fill("Did not end within 50 ms"));
    const [parked] = await listParked(test.relay, 0, 10);
    expect(parked).toMatchObject({ stream: "test-h", error: "Did not end within 50 ms" });
    await sql`delete from relay.retries`.execute(test.owner);
  });

  it.each([
    ["the database was away", new DatabaseUnavailable("away")],
    ["others were faster", new VersionConflict("away")],
  ])("does not hold it against an event when %s", async (_, error) => {
    const { relay } = await addHandler(test, () => Promise.reject(error), {
      attemptsMax: 2,
    });
    await append(test, "i");
    for (let round = 0; round < 5; round++) await drainWhatIsDue(relay);
    expect(await setAside()).toEqual([{
      stream: "test-i",
      attempts: 0,
      last_error: "away",
      parked_at: null,
    }]);
    await sql`delete from relay.retries`.execute(test.owner);
  });

  it("that is slow delays nobody else, and is given nothing more meanwhile", async () => {
    let release = () => {};
    const atWork = new Promise<void>((resolve) => release = resolve);
    const told: string[] = [];
    const slow = await addHandler(test, async (event) => {
      told.push(nameOf(event));
      await atWork;
    });
    const quick = await addHandler(test, (event) => void told.push(nameOf(event).toUpperCase()));
    const relay = {
      ...slow.relay,
      subscriptions: [...slow.relay.subscriptions, ...quick.relay.subscriptions],
    };
    for (const stream of ["j", "j"]) {
      await append(test, stream);
      await drainBatch(relay);
      await until("the quick one is done", () => !relay.tasks.has(quick.name));
    }
    expect(told.filter((name) => name.startsWith("j"))).toEqual(["j1"]);
    expect(told.filter((name) => name.startsWith("J"))).toEqual(["J1", "J2"]);
    release();
    await drain(relay, 5_000);
    expect(told.filter((name) => name.startsWith("j"))).toEqual(["j1", "j2"]);
  });
});

describe("an event that was set aside", () => {
  it("keeps nobody busy while it waits behind another", async () => {
    const { relay } = await addHandler(test, () => Promise.reject(new Error("no")), { attemptsMax: 2 });
    for (const stream of ["n", "n"]) await append(test, stream);
    for (let round = 0; round < 3; round++) await drainWhatIsDue(relay);
    expect(await listParked(test.relay, 0, 10)).toMatchObject([{ stream: "test-n", waiting: 1 }]);
    const { checkpoints } = await numberEvents(test.relay, 10);
    expect(checkpoints.filter(({ hasRetries }) => hasRetries)).toEqual([]);
    await sql`delete from relay.retries`.execute(test.owner);
  });

  it("stays parked no longer than the operator wants, also when the database is away", async () => {
    let error: Error = new Error("no");
    const { name, relay } = await addHandler(test, () => Promise.reject(error), { attemptsMax: 2 });
    await append(test, "o");
    for (let round = 0; round < 3; round++) await drainWhatIsDue(relay);
    error = new DatabaseUnavailable("away");
    await retryParked(test.relay, { subscription: name });
    await drainWhatIsDue(relay);
    expect(await setAside()).toMatchObject([{
      stream: "test-o",
      attempts: 2,
      last_error: "away",
      parked_at: null,
    }]);
    await sql`delete from relay.retries`.execute(test.owner);
  });

  it("may say why in any characters", async () => {
    const { relay } = await addHandler(test, () => Promise.reject(new Error("a\0b\ud800")));
    await append(test, "p");
    await drain(relay, 5_000);
    expect(await setAside()).toMatchObject([{ last_error: "ab\ufffd" }]);
    await sql`delete from relay.retries`.execute(test.owner);
  });

  it("is parked when its statements take too long every time", async () => {
    const { relay } = await addHandler(test, async () => {
      await test.command.transaction().execute(async (trx) => {
        await sql`set local statement_timeout = 1`.execute(trx);
        await sql`select pg_sleep(1)`.execute(trx);
      });
    }, { attemptsMax: 2 });
    await append(test, "q");
    for (let round = 0; round < 3; round++) await drainWhatIsDue(relay);
    expect(await listParked(test.relay, 0, 10)).toMatchObject([{ stream: "test-q" }]);
    await sql`delete from relay.retries`.execute(test.owner);
  });
});

describe("tasks", () => {
  it("ring for nobody when they fail or find nothing to do", async () => {
    const tasks = new Tasks();
    let rings = 0;
    tasks.onLateEnd = () => rings++;
    tasks.start("idle", () => Promise.resolve(0));
    tasks.start("failing", () => Promise.reject(new DatabaseUnavailable("full")));
    tasks.start("busy", () => Promise.resolve(1));
    await until("all have ended", () => !["idle", "failing", "busy"].some((name) => tasks.has(name)));
    expect(rings).toBe(1);
  });
});

describe("a handler whose relay is to stop", () => {
  it("ends what it is at, and leaves the rest to the next relay, untried", async () => {
    const told: string[] = [];
    const stopping = new AbortController();
    const { relay } = await addHandler(test, (event) => {
      told.push(nameOf(event));
      stopping.abort();
    });
    for (const stream of ["l", "l", "m", "m"]) await append(test, stream);
    await drain({ ...relay, stopping: stopping.signal }, 5_000);
    expect(told).toHaveLength(1);
    expect((await setAside()).map(({ attempts }) => attempts)).toEqual([0, 0, 0]);
    await drain(relay, 5_000);
    expect(told.toSorted()).toEqual(["l1", "l2", "m1", "m2"]);
    expect(await setAside()).toEqual([]);
  });
});

describe("a read model that is slow", () => {
  it("delays no other, and is given nothing more meanwhile", async () => {
    const handled: string[] = [];
    let release = () => {};
    const atWork = new Promise<boolean>((resolve) => release = () => resolve(true));
    const viewOf = (name: string, done: Promise<boolean>): Subscription => ({
      name,
      kind: "test",
      isReadModel: true,
      async handle(db, { from, to }) {
        handled.push(name);
        await done;
        return await passBatch(db, name, { from, to, events: [] });
      },
    });
    const names = await Promise.all(
      ["slow", "quick"].map(async () => (await addHandler(test, () => {})).name),
    );
    const [slow, quick] = [viewOf(names[0]!, atWork), viewOf(names[1]!, Promise.resolve(true))];
    const relay = createRelay({ db: test.relay, subscriptions: [slow, quick] });
    await append(test, "k");
    await drainBatch(relay);
    await append(test, "k");
    await drainBatch(relay);
    expect(handled.toSorted()).toEqual([quick.name, quick.name, slow.name].toSorted());
    release();
    expect(await drain(relay, 5_000)).toMatchObject({ more: false });
  });
});

async function drainWhatIsDue(relay: Parameters<typeof drain>[0]): Promise<void> {
  await makeDue(test);
  await drain(relay, 5_000);
}

async function setAside() {
  return await test.owner.selectFrom("relay.retries").select([
    "stream",
    "attempts",
    "last_error",
    "parked_at",
  ])
    .orderBy("position").execute();
}

async function checkpoint(name: string) {
  return await test.owner.selectFrom("relay.checkpoints").select([
    "position",
    "leased_to",
    "last_error",
    "fence",
  ])
    .where("subscription", "=", name).executeTakeFirstOrThrow();
}
