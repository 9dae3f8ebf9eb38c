import { sql } from "kysely";
import { afterEach, describe, expect, it } from "vitest";
import { drain, drainBatch } from "../../src/relay/drain.ts";
import { type Relay, withOwnTasks } from "../../src/relay/relay.ts";
import { DatabaseUnavailable } from "../../src/errors.ts";
import { takeLanes } from "../../src/relay/handlers/lanes.ts";
import { relayStatus } from "../../src/relay/status.ts";
import { useTestDatabase } from "../support/database.ts";
import {
  addHandler,
  append,
  appendMany,
  deleteLanes,
  handlerOf,
  listLanes,
  makeDue,
  nameOf,
} from "../support/handlers.ts";
import { until } from "../support/until.ts";

const test = useTestDatabase();

afterEach(() => deleteLanes(test));

const NEVER = new Promise<void>(() => {});

describe("the places of a handler", () => {
  it.each([
    { hanging: 1, concurrency: 8 },
    { hanging: 7, concurrency: 8 },
    { hanging: 20, concurrency: 100 },
    { hanging: 90, concurrency: 100 },
  ])("are free for others while $hanging of $concurrency hang", async ({ hanging, concurrency }) => {
    const told: string[] = [];
    const { relay } = await addHandler(test, async (event) => {
      if (event.type === "Hang") await NEVER;
      told.push(nameOf(event));
    }, { concurrency });
    await appendMany(test, hanging, `hang-${hanging}`, "Hang");
    await drainBatch(relay);
    await until("all that hang hold a place", async () => (await listLanes(test)).length === hanging);
    await appendMany(test, 50, `quick-${hanging}`);
    await drainBatch(relay);
    await until("all others are handled", () => told.length === 50);
    await until("only those that hang are left", async () => (await listLanes(test)).length === hanging);
  });

  it("are free for others while lanes in trouble hang: they hold at most half", async () => {
    const told: string[] = [];
    let [hangs, hanging] = [false, 0];
    const { relay } = await addHandler(test, async (event) => {
      if (event.type === "Bad" && hangs) {
        hanging++;
        await NEVER;
      }
      if (event.type === "Bad") throw new Error("bad");
      told.push(nameOf(event));
    }, { concurrency: 8 });
    await appendMany(test, 7, "bad", "Bad");
    await drain(relay, 5_000);
    hangs = true;
    await makeDue(test);
    await drainBatch(relay);
    await until("half of the places are held", () => hanging === 4);
    await appendMany(test, 20, "good");
    await drainBatch(relay);
    await until("the others are handled", () => told.length === 20);
    expect(hanging).toBe(4);
  });

  it("at another relay are offered the lanes that wait behind tries that hang", async () => {
    const told: string[] = [];
    let hangs = false;
    const { relay } = await addHandler(test, async (event) => {
      if (hangs && event.type === "Hang") await NEVER;
      told.push(nameOf(event));
    }, { concurrency: 4 });
    // Quick at first: the relay comes to hold many lanes at once.
    await appendMany(test, 500, "first");
    await drain(relay, 5_000);
    hangs = true;
    await appendMany(test, 4, "hang", "Hang");
    await appendMany(test, 50, "behind");
    await drainBatch(relay);
    await until("all are handed out", async () => (await listLanes(test)).length === 54);
    const other = withOwnTasks(relay);
    await until("the other relay has handled what waited", async () => {
      await drainBatch(other);
      return told.length === 550;
    });
  });

  it("that were in trouble without fault of the event stay among those in trouble", async () => {
    const added = await addHandler(test, () => Promise.reject(new DatabaseUnavailable("away")));
    await append(test, "away");
    await drain(added.relay, 5_000);
    await makeDue(test);
    expect(await listLanes(test)).toMatchObject([{ state: "resting", attempts: 0 }]);
    const [lane] = await takeLanes(test.relay, handlerOf(added), { resting: 1 }, null);
    expect(lane).toMatchObject({ was: "resting" });
  });

  it("are given up before the process ends: a try under way fails, and is not taken for one that kills", async () => {
    const { relay } = await addHandler(test, () => NEVER);
    await append(test, "frozen");
    await drain(relay, 300);
    expect(await listLanes(test)).toMatchObject([{ state: "in hand" }]);
    await relay.crew.interrupt();
    expect(await listLanes(test)).toMatchObject([
      { state: "resting", attempts: 1, losses: 0, last_error: "Did not end before the end of the drain" },
    ]);
  });

  it("go one to a stream after another, the next as soon as a place is free", async () => {
    const releases = new Map<string, () => void>();
    const { relay } = await addHandler(
      test,
      (event) => new Promise<void>((resolve) => releases.set(nameOf(event), resolve)),
      { concurrency: 2 },
    );
    for (const stream of ["a", "b", "c", "d"]) await append(test, stream);
    await drainBatch(relay);
    await until("two are at work", () => releases.size === 2);
    releases.get("a1")!();
    await until("the third is at work, while the second still is", () => releases.has("c1"));
    releases.get("c1")!();
    await until("so is the fourth", () => releases.has("d1"));
    for (const release of releases.values()) release();
    await drain(relay, 5_000);
    expect(await listLanes(test)).toEqual([]);
  });
});

describe("events of no concern", () => {
  it("are passed over a thousand at a time", async () => {
    const told: string[] = [];
    const { relay } = await addHandler(test, (event) => void told.push(nameOf(event)), { types: ["Wanted"] });
    await appendMany(test, 5_000, "unwanted");
    await append(test, "wanted", "Wanted");
    let batches = 0;
    await until("the event after them is told", async () => {
      batches++;
      await drainBatch(relay);
      await relay.tasks.waitForAll(5_000);
      return told.length > 0;
    });
    expect(batches).toBeLessThanOrEqual(8);
  });
});

describe("a handler that is down", () => {
  it("is tried once a second, counts nothing against the events, and says so until it is up again", async () => {
    let isDown = true;
    let tries = 0;
    const told: string[] = [];
    const { relay } = await addHandler(test, (event) => {
      tries++;
      if (isDown) throw new Error("away");
      told.push(nameOf(event));
    }, { attemptsMax: 3 });
    await appendMany(test, 500, "down");
    await drainUntil(
      relay,
      "it says that it is down",
      async () => (await statusOf(relay)).lastError?.startsWith("Down"),
    );
    const before = tries;
    for (let round = 0; round < 20; round++) {
      await makeDue(test);
      await drain(relay, 1_000);
    }
    expect(tries - before).toBeLessThanOrEqual(10);
    expect(await statusOf(relay)).toMatchObject({
      parked: 0,
      lag: 500,
      lastError: "Down, with a try every second: away",
    });

    isDown = false;
    await drainUntil(relay, "all are handled", () => told.length === 500);
    expect(await statusOf(relay)).toMatchObject({ failing: 0, lag: 0, lagSeconds: 0, lastError: null });
  });

  it("is not taken for down while any stream succeeds", async () => {
    const { relay } = await addHandler(test, ({ stream }) => {
      if (/[13579]$/.test(stream)) throw new Error("bad");
    }, { attemptsMax: 2 });
    await appendMany(test, 20, "mixed");
    for (let round = 0; round < 4; round++) {
      await drain(relay, 5_000);
      await makeDue(test);
      await appendMany(test, 1, `more${round}-`);
    }
    expect((await statusOf(relay)).parked).toBe(10);
    await drain(relay, 5_000);
  });
});

describe("the lag of a handler", () => {
  it("counts what fails and what waits, with its age and the last error", async () => {
    const { relay } = await addHandler(test, () => Promise.reject(new Error("it answered 500")));
    for (const stream of ["p", "p", "q"]) await append(test, stream);
    await drain(relay, 5_000);
    await sql`update relay.lanes set waiting_since = clock_timestamp() - interval '1 hour' where stream = 'test-p'`
      .execute(test.owner);
    const status = await statusOf(relay);
    expect(status).toMatchObject({ lag: 3, failing: 2, parked: 0, lastError: "it answered 500" });
    expect(status.lagSeconds).toBeGreaterThan(3_599);
  });
});

async function statusOf(relay: Relay) {
  return (await relayStatus(test.relay, relay.subscriptions)).subscriptions[0]!;
}

async function drainUntil(relay: Relay, what: string, condition: () => unknown): Promise<void> {
  await until(what, async () => {
    await makeDue(test);
    await drain(relay, 5_000);
    return await condition();
  });
}
