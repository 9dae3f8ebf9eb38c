import { describe, expect, it } from "vitest";
import { DatabaseUnavailable, VersionConflict } from "../../src/errors.ts";
import { drain, drainBatch } from "../../src/relay/drain.ts";
import { listParked, retryAllParked, retryParked } from "../../src/relay/handlers/parked.ts";
import { numberEvents } from "../../src/relay/number.ts";
import { useTestDatabase } from "../support/database.ts";
import { addHandler, append, deleteLanes, listLanes, makeDue, nameOf } from "../support/handlers.ts";
import { appendRaw, makeKnown } from "../support/raw-events.ts";
import { until } from "../support/until.ts";

const test = useTestDatabase();

describe("a handler", () => {
  it("is told of every event, those of a stream in order, and the lane goes afterwards", async () => {
    const told: string[] = [];
    const { name, relay } = await addHandler(test, async (event) => {
      expect((await listLanes(test)).map(({ stream }) => stream)).toContain(event.stream);
      told.push(nameOf(event));
    });
    for (const stream of ["a", "b", "a", "a", "b"]) await append(test, stream);

    expect((await drain(relay, 5_000)).handled).toBe(5);
    expect(told.toSorted()).toEqual(["a1", "a2", "a3", "b1", "b2"]);
    expect(told.filter((name) => name.startsWith("a"))).toEqual(["a1", "a2", "a3"]);
    expect(await checkpoint(name)).toMatchObject({ last_error: null });
    expect(await listLanes(test)).toEqual([]);
    expect((await drain(relay, 5_000)).handled).toBe(0);
  });

  it("is not told of events of other types, and no lane is made for them", async () => {
    const told: string[] = [];
    const { name, relay } = await addHandler(test, (event) => void told.push(nameOf(event)), {
      types: ["Wanted"],
    });
    await append(test, "c");
    await drain(relay, 5_000);
    expect((await checkpoint(name)).position).toBe(await drainedTo());
    expect(await listLanes(test)).toEqual([]);
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
    expect(await listLanes(test)).toEqual([]);
  });

  it("leaves an event of a newer shape to a newer program: the stream waits, with the reason, and is not parked", async () => {
    const told: string[] = [];
    const { relay } = await addHandler(test, (event) => void told.push(nameOf(event)), { attemptsMax: 1 });
    const id = await appendRaw(test, { stream: "test-n", type: "Tested", schemaVersion: 2 });
    await append(test, "n");
    await append(test, "o");
    for (let tries = 0; tries < 3; tries++) await drainWhatIsDue(relay);
    expect(told).toEqual(["o1"]);
    expect(await listLanes(test)).toMatchObject([
      {
        stream: "test-n",
        state: "resting",
        attempts: 0,
        last_error: expect.stringContaining("newer than this program"),
      },
    ]);
    await makeKnown(test, id);
    await drainWhatIsDue(relay);
    expect(told).toEqual(["o1", "n1", "n2"]);
  });

  it("is told at once of a stream whose name is a part of the name of a waiting stream", async () => {
    const told: string[] = [];
    let isBroken = true;
    const { relay } = await addHandler(test, (event) => {
      if (isBroken) throw new Error("not now");
      told.push(nameOf(event));
    });
    await append(test, "pq");
    await drain(relay, 5_000);
    isBroken = false;
    await append(test, "pq");
    await append(test, "p");
    await drain(relay, 1_000);
    expect(told).toContain("p1");
    await drainWhatIsDue(relay);
    expect(told.toSorted()).toEqual(["p1", "pq1", "pq2"]);
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

    const [parked] = await listParked(test.relay, ["", "", 0], 10);
    expect(parked).toMatchObject({
      subscription: name,
      stream: "test-f",
      version: 1,
      attempts: 3,
      error: "never",
      waiting: 1,
    });
    expect(await retryAllParked(test.relay, { subscription: name })).toBe(1);
    await drainWhatIsDue(relay);
    expect(await listParked(test.relay, ["", "", 0], 10)).toMatchObject([{ id: parked!.id, attempts: 4 }]);

    broken = false;
    await retryParked(test.relay, parked!);
    await drainWhatIsDue(relay);
    expect(told.slice(-2)).toEqual(["f1", "f2"]);
    expect(await listLanes(test)).toEqual([]);
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
    expect(reasons).toEqual(["Did not end within 50 ms"]);
    const [parked] = await listParked(test.relay, ["", "", 0], 10);
    expect(parked).toMatchObject({ stream: "test-h", error: "Did not end within 50 ms" });
    await deleteLanes(test);
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
    expect(await listLanes(test)).toMatchObject([{
      stream: "test-i",
      attempts: 0,
      last_error: "away",
      state: "resting",
    }]);
    await deleteLanes(test);
  });

  it("that is slow delays nobody else, and the rest of the stream waits", async () => {
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

async function drainWhatIsDue(relay: Parameters<typeof drain>[0]): Promise<void> {
  await makeDue(test);
  await drain(relay, 5_000);
}

async function drainedTo(): Promise<number> {
  return (await numberEvents(test.relay, 1)).lastPosition;
}

async function checkpoint(name: string) {
  return await test.owner.selectFrom("relay.checkpoints").select(["position", "last_error"])
    .where("subscription", "=", name).executeTakeFirstOrThrow();
}
