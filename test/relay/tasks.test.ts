import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { DatabaseUnavailable } from "../../src/errors.ts";
import { drain, drainBatch } from "../../src/relay/drain.ts";
import { createRelay } from "../../src/relay/relay.ts";
import type { ReadModelSubscription } from "../../src/relay/subscription.ts";
import { Tasks } from "../../src/relay/tasks.ts";
import { useTestDatabase } from "../support/database.ts";
import { addHandler, append, listLanes, nameOf } from "../support/handlers.ts";
import { until } from "../support/until.ts";

const test = useTestDatabase();

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
    expect((await listLanes(test)).map(({ next_version, attempts }) => [next_version, attempts])).toEqual([
      [told[0] === "l1" ? 2 : 1, 0],
      [told[0] === "m1" ? 2 : 1, 0],
    ]);
    await drain(relay, 5_000);
    expect(told.toSorted()).toEqual(["l1", "l2", "m1", "m2"]);
    expect(await listLanes(test)).toEqual([]);
  });
});

describe("a read model that is slow", () => {
  it("delays no other, and is given nothing more meanwhile", async () => {
    const handled: string[] = [];
    let release = () => {};
    const atWork = new Promise<boolean>((resolve) => release = () => resolve(true));
    const viewOf = (name: string, done: Promise<boolean>): ReadModelSubscription => ({
      name,
      kind: "test",
      async handle(db, { from, to }) {
        handled.push(name);
        await done;
        const { passed } = await db.selectNoFrom(
          sql<boolean>`relay.refresh_keys(${name}, ${from}, ${to}, '{}')`.as("passed"),
        )
          .executeTakeFirstOrThrow();
        return passed ? to : null;
      },
      keysOf: () => null,
      handleSetAside: () => Promise.resolve(0),
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
