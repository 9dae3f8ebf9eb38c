import type { Database } from "../../src/database/database.ts";
import { ask, type Fresh } from "../../src/read/ask.ts";
import { drainEvents } from "../../src/relay/drain.ts";
import type { Relay } from "../../src/relay/relay.ts";
import type { Random } from "./random.ts";
import { type Load, write } from "./writers.ts";

const LOAD: Load = { writers: 16, streams: 200, events: 25, commitDelayMsMax: 60, rollbackPercent: 5 };

interface Given {
  /** A database for the writers, with at least 16 connections. */
  command: Database;
  /** The databases to ask: the primary, and replicas. */
  asked: Database[];
  relay: Relay;
  /** The name of a read model of the relay. */
  readModel: string;
  owner: Database;
}

/**
 * Asks for the freshness of a read model all the time while 16 writers commit late, and returns the broken promises: an
 * event acknowledged before the `asOf` of an answer, and missing in the answer.
 */
export async function findBrokenPromises(given: Given, random: Random) {
  const done = new AbortController();
  const answers: Fresh<unknown>[] = [];
  const askers = given.asked.map(async (db) => {
    while (!done.signal.aborted) answers.push(await askFreshness(db, given.readModel));
  });
  const relaying = (async () => {
    while (!done.signal.aborted) await drainEvents(given.relay, 1_000, random.between(1, 10));
  })();
  const acknowledged = await write(given.command, LOAD, random);
  done.abort();
  await Promise.all([...askers, relaying]);

  const positions = await listPositions(given.owner);
  const missing = answers.flatMap(({ asOf, position }) =>
    [...acknowledged].filter(([id, at]) => at < asOf.getTime() && (positions.get(id) ?? Infinity) > position)
      .map(([id, at]) => ({ id, at, asOf, position }))
  );
  const isBehind = answers.some(({ position }) => position < positions.size);
  return { missing, answers: answers.length, isBehind };
}

async function askFreshness(db: Database, name: string): Promise<Fresh<unknown>> {
  return await ask(
    db,
    { name },
    { level: "eventual" },
    () => db.selectFrom("read.positions").selectAll().limit(0),
  );
}

async function listPositions(db: Database): Promise<Map<string, number>> {
  const rows = await db.selectFrom("read.positions").select(["event_id", "position"]).execute();
  return new Map(rows.map(({ event_id, position }) => [event_id, position]));
}
