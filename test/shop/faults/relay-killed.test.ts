import { sql } from "kysely";
import pMap from "p-map";
import { describe, expect, it } from "vitest";
import { retryAllParked } from "../../../src/relay/handlers/parked.ts";
import { useTestDatabase } from "../../support/database.ts";
import { makeDue } from "../../support/handlers.ts";
import { seededRandom } from "../../support/random.ts";
import { until } from "../../support/until.ts";
import { FAULT_POINTS } from "./support/fault-points.ts";
import { shortOrLong } from "../../faults/support/length.ts";
import { settled, verify } from "./support/oracle.ts";
import { useRelayPrograms } from "./support/relay-programs.ts";
import { report } from "../../faults/support/report.ts";
import { startSteadyLoad } from "./support/steady-load.ts";
import { installWitness } from "./support/witness.ts";

const KILLS = shortOrLong(1, 50);
const RELAYS = 3;
const TIMES_MAX = 3;
const KILL_MS_MAX = 60_000;

describe("a relay that is killed", () => {
  const database = useTestDatabase();
  const relayWith = useRelayPrograms();

  it("at any point loses nothing, repeats nothing and keeps the order", async () => {
    const random = seededRandom("relay killed");
    await installWitness(database.owner);
    const load = await startSteadyLoad(database, random);
    const points = Array<typeof FAULT_POINTS>(KILLS).fill(FAULT_POINTS).flat();
    await pMap(points, (point) => killAt(point, random.between(1, TIMES_MAX)), { concurrency: RELAYS });
    await load.stop();
    relayWith(database.urls);
    await letLeasesRunOut();
    const parked = await retryAll();
    await settled(database.owner);

    const verdict = await verify(database.owner, { ...load, witness: true });
    const kills = KILLS * FAULT_POINTS.length;
    await report(
      "Relay killed",
      verdict,
      random,
      `${kills} kills at ${FAULT_POINTS.length} points, ${parked} events were parked`,
    );
    expect(verdict).toMatchObject({ missed: 0, twice: 0, outOfOrder: 0 });
  }, shortOrLong(180_000, 3_600_000));

  async function killAt(point: string, times: number): Promise<void> {
    const environment = { FAULT_POINT: point, FAULT_TIMES: `${times}`, FAULT_SIGNAL: "SIGKILL" };
    const relay = relayWith(database.urls, environment);
    await until(`it is killed ${point}, time ${times}`, async () => {
      await makeDue(database);
      return relay.ended() !== undefined;
    }, KILL_MS_MAX);
    expect(relay.ended()).toBe("SIGKILL");
    await letLeasesRunOut();
  }

  /** Ends leases at once, to save the wait. Relays that are alive lose leases, too. */
  async function letLeasesRunOut(): Promise<void> {
    await sql`
      update relay.lanes set due_at = clock_timestamp() where (subscription, stream) in (
        select subscription, stream from relay.lanes where state = 'in hand' for update skip locked
      )`.execute(database.owner);
    await makeDue(database);
  }

  async function retryAll(): Promise<number> {
    await makeDue(database);
    const names = await database.owner.selectFrom("relay.checkpoints").select("subscription").execute();
    const counts = await Promise.all(names.map((name) => retryAllParked(database.relay, name)));
    return counts.reduce((sum, count) => sum + count, 0);
  }
});
