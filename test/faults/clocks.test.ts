import { describe, expect, it } from "vitest";
import { useTestDatabase } from "../support/database.ts";
import { settingsOf, usePrograms } from "../support/program.ts";
import { seededRandom } from "../support/random.ts";
import { shortOrLong } from "./support/length.ts";
import { startLoad, summary } from "./support/load.ts";
import { verify } from "./support/oracle.ts";
import { report } from "./support/report.ts";
import { installWitness } from "./support/witness.ts";

const HOUR_MS = 3_600_000;
const COMMANDS = shortOrLong(500, 10_000);

describe.each([["slow", -HOUR_MS], ["fast", HOUR_MS]])("a clock that is an hour %s", (which, shiftMs) => {
  const database = useTestDatabase();
  const run = usePrograms();

  it("does not matter to the API and the relay", async () => {
    const random = seededRandom(`a ${which} clock`);
    await installWitness(database.owner);
    const program = run("start", {
      preload: ["test/faults/support/shift-clock.ts", "test/faults/support/with-witness.ts"],
      settings: { ...settingsOf(database.urls), CLOCK_SHIFT_MS: `${shiftMs}` },
    });
    const url = await program.printed(/Listening on (\S+)/);
    const load = startLoad(() => url, random);
    await load.untilAnswered(COMMANDS);
    await load.stop();

    const verdict = await verify(database.owner, { ...load, witness: true });
    expect(verdict).toMatchObject({ missed: 0, twice: 0, outOfOrder: 0 });
    await report(`API and relay an hour ${which}`, verdict, random, summary(load));
  });
});
