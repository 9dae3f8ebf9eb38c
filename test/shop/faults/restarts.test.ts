import { expect, it } from "vitest";
import { useTestDatabase } from "../../support/database.ts";
import { describeOnServer } from "../../support/postgres.ts";
import { settingsOf, usePrograms } from "../../support/program.ts";
import { seededRandom } from "../../support/random.ts";
import { FAULT_MS, shortOrLong } from "../../faults/support/length.ts";
import { startLoad, summary } from "./support/load.ts";
import { verify } from "./support/oracle.ts";
import { useOwnServer } from "../../faults/support/own-server.ts";
import { report } from "../../faults/support/report.ts";
import { installWitness, WITH_WITNESS } from "./support/witness.ts";

const RESTARTS = shortOrLong(3, 15);
const COMMANDS_BETWEEN_MAX = shortOrLong(60, 1_000);

const server = useOwnServer();

describeOnServer.each(["fast", "immediate"] as const)(
  "PostgreSQL that is restarted (%s) under load",
  (how) => {
    const database = useTestDatabase({ adminUrl: () => server.url });
    const run = usePrograms();

    it("loses nothing, and the program goes on by itself", async () => {
      const random = seededRandom(`restarts, ${how}`);
      await installWitness(database.owner);
      const program = run("start", { preload: [WITH_WITNESS], settings: settingsOf(database.urls) });
      const url = await program.printed(/Listening on (\S+)/);
      const load = startLoad(() => url, random, { clients: 8 });
      for (let restarts = 0; restarts < RESTARTS; restarts++) {
        await load.untilAnswered(random.between(1, COMMANDS_BETWEEN_MAX));
        await server.restart(how);
      }
      await load.untilAnswered(COMMANDS_BETWEEN_MAX);
      await load.stop();

      const verdict = await verify(database.owner, { ...load, witness: true });
      await report(`PostgreSQL restarted, ${how}`, verdict, random, `${RESTARTS} restarts; ${summary(load)}`);
      expect(verdict).toMatchObject({ missed: 0, twice: 0, outOfOrder: 0 });
      // No connection keeps waiting after PostgreSQL is back.
      expect(program.output).not.toContain("Cannot wait longer for the database");
      expect(Object.keys(load.answers).filter((kind) => kind.startsWith("500"))).toEqual([]);
    }, FAULT_MS);
  },
);
