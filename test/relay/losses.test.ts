import { sql } from "kysely";
import { afterEach, describe, expect, it } from "vitest";
import { drain } from "../../src/relay/drain.ts";
import { reclaimLanes } from "../../src/relay/handlers/lanes.ts";
import { listParked, retryAllParked } from "../../src/relay/handlers/parked.ts";
import { sleep } from "../../src/sleep.ts";
import { useTestDatabase } from "../support/database.ts";
import {
  addHandler,
  append,
  deleteLanes,
  handlerOf,
  handOutAndDie,
  letLeasesRunOut,
  listLanes,
  makeDue,
  nameOf,
  takeAndDie,
  together,
} from "../support/handlers.ts";
import { until } from "../support/until.ts";

const test = useTestDatabase();

afterEach(() => deleteLanes(test));

describe("a lane whose relay died", () => {
  it("is suspect: its events are tried each alone, in order, up to where the dead relay may have been", async () => {
    const told: string[] = [];
    const added = await addHandler(test, (event) => void told.push(nameOf(event)));
    for (const stream of ["b", "c", "b", "d"]) await append(test, stream);
    await handOutAndDie(test, added);
    await append(test, "b");
    await letLeasesRunOut(test, added.name);
    await reclaimLanes(test.relay, handlerOf(added), null);
    expect(await statesOf("b", "c", "d")).toEqual(["suspect", "suspect", "suspect"]);

    expect(await takeAndDie(test, added, { suspect: 1 })).toHaveLength(1);
    const { rows: [taken] } = await sql<{ events: number }>`
      select trying_to - next_version + 1 as events from relay.lanes where state = 'in hand'`.execute(
      test.owner,
    );
    expect(taken).toEqual({ events: 1 });
    await letLeasesRunOut(test, added.name);
    await until("all are handled", async () => {
      await makeDue(test);
      await drain(added.relay, 5_000);
      return (await listLanes(test)).length === 0;
    });
    expect(told.filter((name) => name.startsWith("b"))).toEqual(["b1", "b2", "b3"]);
    expect(told).toHaveLength(5);
  });

  it("comes to be alone, then exclusive, then parked, when it is lost again and again; the others do not", async () => {
    const added = await addHandler(test, () => {});
    for (const stream of ["e", "f"]) await append(test, stream);
    await handOutAndDie(test, added);
    const steps: string[] = [];
    for (let death = 0; death < 4; death++) {
      await letLeasesRunOut(test, added.name);
      await reclaimLanes(test.relay, handlerOf(added), null);
      const [state] = await statesOf("e");
      steps.push(state!);
      await makeDue(test);
      await sql`update relay.lanes set due_at = due_at + interval '1 second' where stream = 'test-f'`.execute(
        test.owner,
      );
      await takeAndDie(test, added, { [state!]: 1 });
    }
    expect(steps).toEqual(["suspect", "alone", "exclusive", "parked"]);
    expect(await statesOf("f")).toEqual(["suspect"]);
    expect(await listParked(test.relay, ["", "", 0], 10)).toMatchObject([
      { stream: "test-e", error: "Never came back from 4 tries" },
    ]);

    await sql`update relay.lanes set due_at = clock_timestamp()`.execute(test.owner);
    await drain(added.relay, 5_000);
    expect(await statesOf("e", "f")).toEqual(["parked"]);
    await retryAllParked(test.relay, { subscription: added.name });
    await drain(added.relay, 5_000);
    expect(await listLanes(test)).toEqual([]);
  });

  it.each([
    { losses: 1, state: "suspect", alone: false },
    { losses: 2, state: "alone", alone: true },
    { losses: 3, state: "exclusive", alone: true },
  ])(
    "lost $losses times is tried beside no other of its handler: $alone",
    async ({ losses, state, alone }) => {
      const [trying, peak] = [new Set<string>(), { size: 0 }];
      const added = await addHandler(test, async (event) => {
        trying.add(event.stream);
        peak.size = Math.max(peak.size, trying.size);
        await sleep(30);
        trying.delete(event.stream);
      });
      for (const stream of ["g", "h", "i"]) await append(test, stream);
      await handOutAndDie(test, added);
      await sql`update relay.lanes set state = ${state}, losses = ${losses}, hold = 0, suspect_to = 1, trying_to = null,
      due_at = clock_timestamp()`.execute(test.owner);
      await until("all are handled", async () => {
        await drain(added.relay, 5_000);
        return (await listLanes(test)).length === 0;
      });
      expect(peak.size === 1).toBe(alone);
    },
  );

  it("lost three times is tried while no other handler of the process tries anything", async () => {
    const [trying, peaks] = [new Set<string>(), [] as string[][]];
    const handle = (who: string) => async ({ stream }: { stream: string }) => {
      trying.add(who + stream);
      peaks.push([...trying]);
      await sleep(20);
      trying.delete(who + stream);
    };
    const [one, other] = [await addHandler(test, handle("one ")), await addHandler(test, handle("other "))];
    await append(test, "j");
    await handOutAndDie(test, one);
    await sql`update relay.lanes set state = 'exclusive', losses = 3, hold = 0, suspect_to = 1, trying_to = null,
      due_at = clock_timestamp()`.execute(test.owner);
    for (let place = 0; place < 20; place++) await append(test, `k${place}`);
    const relay = together(test, one, other);
    await until("all are handled", async () => {
      await drain(relay, 5_000);
      return (await listLanes(test)).length === 0;
    });
    const withSuspect = peaks.filter((names) => names.includes("one test-j"));
    expect(withSuspect).toEqual([["one test-j"]]);
    expect(Math.max(...peaks.map((names) => names.length))).toBeGreaterThan(1);
  });
});

async function statesOf(...streams: string[]): Promise<string[]> {
  return (await listLanes(test)).filter(({ stream }) => streams.includes(stream.slice("test-".length)))
    .map(({ state }) => state);
}
