import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { listParked, retryAllParked } from "../../../src/relay/handlers/parked.ts";
import { useTestDatabase } from "../../support/database.ts";
import { makeDue } from "../../support/handlers.ts";
import { seededRandom } from "../../support/random.ts";
import { sleep } from "../../../src/sleep.ts";
import { until } from "../../support/until.ts";
import { verify } from "./support/oracle.ts";
import { useRelayPrograms } from "./support/relay-programs.ts";
import { report } from "../../faults/support/report.ts";
import { startSteadyLoad } from "./support/steady-load.ts";
import { installWitness } from "./support/witness.ts";

const POISONS = ["poison-throws", "poison-hangs", "poison-kills"];
const EVENTS_EACH = 3;
const PARKED_MS_MAX = 90_000;

describe("events that throw, that hang and that kill the process", () => {
  const database = useTestDatabase();
  const relayWith = useRelayPrograms();

  it("are parked; only their streams wait, and follow in order when they are tried again", async () => {
    const random = seededRandom("poison");
    await installWitness(database.owner);
    const load = await startSteadyLoad(database, random);
    for (let version = 0; version < EVENTS_EACH; version++) {
      for (const stream of POISONS) await append(stream, version);
    }
    const stopping = new AbortController();
    const { deaths } = keepRunning(() => relayWith(database.urls, { POISON: "yes" }), stopping.signal);
    await until("all are parked", async () => {
      await makeDue(database);
      return (await listParked(database.relay, ["", "", 0], 10)).length === POISONS.length;
    }, PARKED_MS_MAX);

    const parked = await listParked(database.relay, ["", "", 0], 10);
    expect(parked.map(({ stream, waiting }) => ({ stream, waiting })).toSorted(byStream))
      .toEqual(POISONS.map((stream) => ({ stream, waiting: EVENTS_EACH - 1 })).toSorted(byStream));
    await load.stop();
    const last = load.acknowledged.at(-1)!;
    // Long: the dead processes have left a backlog.
    await until("the others go on", async () => (await effectOf(last)).length === 1, PARKED_MS_MAX);

    stopping.abort();
    relayWith(database.urls);
    await makeDue(database);
    expect(await retryAllParked(database.relay, { subscription: "witness" })).toBe(POISONS.length);
    const verdict = await verify(database.owner, { ...load, witness: true });
    await report(
      "Poison events: throw, hang, kill",
      verdict,
      random,
      `${deaths()} processes died before all were parked`,
    );
    expect(verdict).toMatchObject({ missed: 0, twice: 0, outOfOrder: 0 });
  }, 180_000);

  async function append(stream: string, version: number): Promise<void> {
    const events = JSON.stringify([{ id: crypto.randomUUID(), type: "Poison", data: {}, metadata: {} }]);
    await sql`select write.append(${stream}, ${version}, ${events}::text::jsonb, null)`.execute(
      database.command,
    );
  }

  async function effectOf(eventId: string) {
    return await database.command.selectFrom("write.events").select("id").where("type", "=", "Witnessed")
      .where(sql<string>`data ->> 'eventId'`, "=", eventId).execute();
  }
});

/** Starts a relay, and a new relay after each death, like a supervisor in production. */
function keepRunning(
  start: () => { ended(): unknown; signal(signal: NodeJS.Signals): void },
  signal: AbortSignal,
) {
  let deaths = 0;
  const run = async () => {
    while (!signal.aborted) {
      const relay = start();
      while (relay.ended() === undefined && !signal.aborted) await sleep(50, signal);
      if (signal.aborted) relay.signal("SIGKILL");
      else deaths++;
    }
  };
  void run();
  return { deaths: () => deaths };
}

function byStream(one: { stream: string }, other: { stream: string }): number {
  return one.stream.localeCompare(other.stream);
}
