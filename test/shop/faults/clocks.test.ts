import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { useTestDatabase } from "../../support/database.ts";
import { settingsOf, usePrograms } from "../../support/program.ts";
import { seededRandom } from "../../support/random.ts";
import { until } from "../../support/until.ts";
import { FAULT_MS, shortOrLong } from "../../faults/support/length.ts";
import { startLoad, summary } from "./support/load.ts";
import { verify } from "./support/oracle.ts";
import { report } from "../../faults/support/report.ts";
import { installWitness, WITH_WITNESS } from "./support/witness.ts";

const HOUR_MS = 3_600_000;
const COMMANDS = shortOrLong(100, 10_000);

describe("programs whose clocks are an hour slow and an hour fast", () => {
  const database = useTestDatabase();
  const run = usePrograms();

  it("share the work as if their clocks were right", async () => {
    const random = seededRandom("wrong clocks");
    await installWitness(database.owner);
    const urls = await Promise.all([-HOUR_MS, HOUR_MS].map(async (shiftMs) => {
      const program = run("start", {
        preload: ["test/shop/faults/support/shift-clock.ts", WITH_WITNESS],
        settings: { ...settingsOf(database.urls), CLOCK_SHIFT_MS: `${shiftMs}` },
      });
      return await program.printed(/Listening on (\S+)/);
    }));
    const load = startLoad(() => urls[random.between(0, 1)]!, random);
    await load.untilAnswered(COMMANDS);
    await letAReadModelFail();
    await load.untilAnswered(COMMANDS);
    await load.stop();

    const verdict = await verify(database.owner, { ...load, witness: true });
    const remark = `ids ${await idsAreOffBy()} off; ${summary(load)}`;
    await report("Clocks an hour slow and an hour fast", verdict, random, remark);
    expect(verdict).toMatchObject({ missed: 0, twice: 0, outOfOrder: 0 });
  }, FAULT_MS);

  /** Breaks a read model. A relay tries again about a second later: not after an hour, not constantly. */
  async function letAReadModelFail() {
    await sql`alter table read.product_catalog rename to broken`.execute(database.owner);
    await until("it has failed", async () => {
      const { rows } = await sql<{ rests: boolean }>`
        select rests_until between now() and now() + interval '1 minute' as rests from relay.checkpoints
        where subscription = 'product_catalog' and last_error is not null`.execute(database.owner);
      return rows[0]?.rests;
    });
    await sql`alter table read.broken rename to product_catalog`.execute(database.owner);
  }

  /** Returns the differences between the times in ids (UUID version 7) and `recorded_at`, in whole hours. */
  async function idsAreOffBy(): Promise<string> {
    const { rows } = await sql<{ hours: number }>`
      select distinct round((('x' || replace(left(id::text, 13), '-', ''))::bit(48)::bigint / 1000.0
        - extract(epoch from recorded_at)) / 3600)::integer as hours
      from write.events order by hours`.execute(database.owner);
    return rows.map(({ hours }) => `${hours} h`).join(", ");
  }
});
