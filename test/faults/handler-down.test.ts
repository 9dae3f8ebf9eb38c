import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { drain } from "../../src/relay/drain.ts";
import { type Relay, withOwnTasks } from "../../src/relay/relay.ts";
import { runRelay } from "../../src/relay/waking/run.ts";
import { useTestDatabase } from "../support/database.ts";
import { addHandler, append, appendMany, countStatements, makeDue } from "../support/handlers.ts";

const test = useTestDatabase();

const STREAMS = 20_000;
const DOWN_MS = 10_000;

describe("a handler that is down for twenty thousand streams", () => {
  it("costs a few statements a second, parks nothing, and catches up a thousand at a time", async () => {
    const told = new Map<string, number[]>();
    let isDown = true;
    const { relay } = await addHandler(test, ({ stream, version }) => {
      if (isDown) throw new Error("connect ECONNREFUSED");
      told.set(stream, [...told.get(stream) ?? [], version]);
    }, { attemptsMax: 3 });
    await appendMany(test, STREAMS, "down");
    // The second event of a stream follows the first, also after an outage.
    await append(test, "down0");

    const down = countStatements(relay.db);
    await relayFor({ ...relay, db: down.db }, DOWN_MS);
    expect(told.size).toBe(0);
    expect(await countLanes("true")).toBeLessThan(200);
    expect(await countLanes("state = 'parked'")).toBe(0);
    // Three looks a try, and a try a second; numbering twenty thousand events takes twenty statements.
    expect(down.count()).toBeLessThan(600);

    isDown = false;
    await makeDue(test);
    const up = countStatements(relay.db);
    await drain(withOwnTasks({ ...relay, db: up.db }), 60_000);
    await makeDue(test);
    await drain(relay, 10_000);
    expect(told.size).toBe(STREAMS);
    expect([...told.values()].filter((versions) => versions.length > 2)).toEqual([]);
    expect(told.get("test-down0")).toEqual([1, 2]);
    expect(up.count()).toBeLessThan(STREAMS / 1_000 * 40);
    expect(await countLanes("true")).toBe(0);
  });
});

/** Relays as a program does, for a while. */
async function relayFor(relay: Relay, ms: number): Promise<void> {
  await runRelay(withOwnTasks(relay), test.urls.relay, AbortSignal.timeout(ms));
}

async function countLanes(condition: string): Promise<number> {
  const { rows } = await sql<{ lanes: number }>`select count(*) as lanes from relay.lanes where ${
    sql.raw(condition)
  }`
    .execute(test.owner);
  return rows[0]!.lanes;
}
