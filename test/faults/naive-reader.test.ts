import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import type { Database } from "../../src/database/database.ts";
import { sleep } from "../../src/sleep.ts";
import { useTestDatabase } from "../support/database.ts";
import { seededRandom } from "../support/random.ts";
import { write } from "../support/writers.ts";

const test = useTestDatabase();

const LOAD = { writers: 32, streams: 20, events: 30, commitDelayMsMax: 20, rollbackPercent: 5 };

/**
 * Tests the test: a reader as in most systems, under the load of numbering.test.ts with half the events. If the
 * reader missed nothing, numbering.test.ts would show nothing either.
 */
describe("a reader that remembers the last identity it has seen", () => {
  it("misses events", async () => {
    const stopping = new AbortController();
    const reading = readNaively(test.owner, stopping.signal);

    const committed = await write(
      test.open(test.urls.command, { max: LOAD.writers }),
      LOAD,
      seededRandom("naive reader"),
    );
    stopping.abort();
    const seen = new Set(await reading);
    const missed = [...committed.keys()].filter((id) => !seen.has(id)).length;

    console.log(`naive reader: missed ${missed} of ${committed.size} events`);
    expect(missed).toBeGreaterThan(0);
  }, 60_000);
});

/** Reads `where id > last order by id` until the signal is aborted, and once more. Returns the event ids. */
async function readNaively(db: Database, signal: AbortSignal): Promise<string[]> {
  const seen: string[] = [];
  let last = 0;
  for (let stopped = false; !stopped;) {
    stopped = signal.aborted;
    const { rows } = await sql<{ id: number; event_id: string }>`
      select id, event_id from write.outbox where id > ${last} order by id`.execute(db);
    seen.push(...rows.map((row) => row.event_id));
    last = rows.at(-1)?.id ?? last;
    await sleep(1, signal);
  }
  return seen;
}
