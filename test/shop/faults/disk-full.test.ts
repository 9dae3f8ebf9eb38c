import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { isConnectionLost } from "../../../src/errors.ts";
import { useTestDatabase } from "../../support/database.ts";
import { describeOnServer } from "../../support/postgres.ts";
import { settingsOf, usePrograms } from "../../support/program.ts";
import { seededRandom } from "../../support/random.ts";
import { until } from "../../support/until.ts";
import { FAULT_MS, shortOrLong } from "../../faults/support/length.ts";
import { type Load, startLoad, summary } from "./support/load.ts";
import { verify } from "./support/oracle.ts";
import { useOwnServer } from "../../faults/support/own-server.ts";
import { report } from "../../faults/support/report.ts";
import { mountSmallDisk } from "./support/small-disk.ts";
import { installWitness, WITH_WITNESS } from "./support/witness.ts";

const TIMES = shortOrLong(1, 10);
const COMMANDS = shortOrLong(50, 1_000);
const FAILURES = 20;

const disk = await mountSmallDisk();
if (!disk) console.log("skipped: the full disk, this process may not mount a small one");

const server = disk && useOwnServer(disk);

(disk ? describeOnServer : describe.skip).each(["tables", "log of writes"])(
  "a disk without room for the %s",
  (what) => {
    const database = useTestDatabase({ adminUrl: () => server!.url });
    const run = usePrograms();

    it("loses nothing that was acknowledged, is said to be a passing problem, and does pass", async () => {
      const random = seededRandom(`disk full, ${what}`);
      await installWitness(database.owner);
      const program = run("start", { preload: [WITH_WITNESS], settings: settingsOf(database.urls) });
      const url = await program.printed(/Listening on (\S+)/);
      const load = startLoad(() => url, random);
      let died = 0;
      for (let times = 0; times < TIMES; times++) {
        await load.untilAnswered(COMMANDS);
        await disk!.fill();
        await untilMoreFail(load);
        if (what === "log of writes") await untilItIsUsedUp();
        await untilMoreFail(load);
        await disk!.clear();
        if (await answers()) continue;
        died++;
        await server!.restart("immediate");
      }
      await load.untilAnswered(COMMANDS);
      await load.stop();

      const verdict = await verify(database.owner, { ...load, witness: true });
      const remark = `full ${TIMES} times, PostgreSQL had to be started again ${died} times; ${
        summary(load)
      }`;
      await report(`Disk full, ${what}`, verdict, random, remark);
      expect(verdict).toMatchObject({ missed: 0, twice: 0, outOfOrder: 0 });
      expect(Object.keys(load.answers).filter((kind) => kind.startsWith("500"))).toEqual([]);
    }, FAULT_MS);

    /** Begins new files of the write-ahead log until PostgreSQL has no room left and gives up (PANIC). */
    async function untilItIsUsedUp() {
      const admin = database.driver(server!.url);
      await until(
        "PostgreSQL gives up",
        () => admin`select pg_switch_wal()`.then(() => false, (error) => isConnectionLost(error)),
      );
    }

    /** True when PostgreSQL answers, or comes back by itself, within 3 s. */
    async function answers(): Promise<boolean> {
      const answer = () => sql`select`.execute(database.owner).then(() => true, () => false);
      return await until("PostgreSQL answers", answer, 3_000).catch(() => false);
    }
  },
);

async function untilMoreFail({ answers }: Load): Promise<void> {
  const count = () =>
    Object.entries(answers).filter(([kind]) => /^5/.test(kind)).reduce((sum, [, times]) => sum + times, 0);
  const wanted = count() + FAILURES;
  await until(`${FAILURES} more commands fail`, () => count() >= wanted, 60_000);
}
