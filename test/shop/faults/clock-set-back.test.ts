import { sql } from "kysely";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FAULT_MS, shortOrLong } from "../../faults/support/length.ts";
import { report } from "../../faults/support/report.ts";
import { useTestDatabase } from "../../support/database.ts";
import { seededRandom } from "../../support/random.ts";
import { until } from "../../support/until.ts";
import { findDebianPrograms, useDebianServer } from "../../support/debian-server.ts";
import { verify } from "./support/oracle.ts";
import { useRelayPrograms } from "./support/relay-programs.ts";
import { startSteadyLoad } from "./support/steady-load.ts";
import { installWitness } from "./support/witness.ts";

/** Debian's libfaketime: the server reads the shift of its clock from a file, every second. */
const LIBRARY = `/usr/lib/${
  process.arch === "arm64" ? "aarch64" : "x86_64"
}-linux-gnu/faketime/libfaketimeMT.so.1`;
const SET_BACK_S = 300;
const TIMES = shortOrLong(1, 10);
const EVENTS = shortOrLong(30, 300);

const programs = await findDebianPrograms();
const canShift = programs !== undefined && existsSync(LIBRARY);
if (!canShift) {
  console.log("skipped: the database's clock set back, Debian's PostgreSQL or libfaketime is missing");
}

const clockOf = (folder: string) => join(folder, "clock");

describe.skipIf(!canShift)(
  "a database's clock that is set back by five minutes, after a relay has died",
  () => {
    const server = useDebianServer(programs!, (folder) => ({
      LD_PRELOAD: LIBRARY,
      FAKETIME_TIMESTAMP_FILE: clockOf(folder),
      FAKETIME_CACHE_DURATION: "1",
      // Waits in PostgreSQL are measured with the monotonic clock, and nobody sets that clock.
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    }));
    const database = useTestDatabase({ adminUrl: () => server.url });
    const relayWith = useRelayPrograms();

    it("loses nothing, repeats nothing, and lets nothing rest for those minutes", async () => {
      const random = seededRandom("clock set back");
      await installWitness(database.owner);
      const load = await startSteadyLoad(database, random);
      for (let times = 1; times <= TIMES; times++) {
        const dying = relayWith(database.urls, {
          FAULT_POINT: "after hand out",
          FAULT_TIMES: "3",
          FAULT_SIGNAL: "SIGKILL",
        });
        await until("a relay has died with lanes in hand", () => dying.ended() === "SIGKILL", FAULT_MS);
        await setBack(times * SET_BACK_S);
        const next = relayWith(database.urls);
        const before = load.acknowledged.length;
        await until("the load goes on", () => load.acknowledged.length > before + EVENTS, FAULT_MS);
        if (times < TIMES) next.signal("SIGKILL");
      }
      await load.stop();

      const verdict = await verify(database.owner, { ...load, witness: true });
      await report("Database's clock set back", verdict, random, `${TIMES} times by ${SET_BACK_S} s`);
      expect(verdict).toMatchObject({ missed: 0, twice: 0, outOfOrder: 0 });
    }, FAULT_MS);

    async function setBack(seconds: number): Promise<void> {
      const now = async () => {
        const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(database.owner);
        return rows[0]!.now.getTime();
      };
      const before = await now();
      await writeFile(clockOf(server.folder), `-${seconds}`);
      await until("the clock is set back", async () => await now() < before - (SET_BACK_S - 60) * 1_000);
    }
  },
);
