import { join } from "node:path";
import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import type { DatabaseUrls } from "../../../src/config.ts";
import type { Database } from "../../../src/database/database.ts";
import { changePrice } from "../../../src/features/catalog/commands/change-price.ts";
import { execute } from "../../../src/write/execute.ts";
import { anybody } from "../../support/context.ts";
import { useTestDatabase } from "../../support/database.ts";
import { settingsOf, usePrograms } from "../../support/program.ts";
import { type Random, seededRandom } from "../../support/random.ts";
import { findDebianPrograms, must, useDebianServer } from "../../support/debian-server.ts";
import { FAULT_MS, shortOrLong } from "../../faults/support/length.ts";
import { startLoad } from "./support/load.ts";
import { settled, verify } from "./support/oracle.ts";
import { report } from "../../faults/support/report.ts";
import { installWitness, WITH_WITNESS } from "./support/witness.ts";

const COMMANDS = shortOrLong(60, 5_000);
const RIGHT = { missed: 0, twice: 0, outOfOrder: 0 };

const programs = await findDebianPrograms();
if (!programs) console.log("skipped: dump and restore, there is no pg_dump in /usr/lib/postgresql");

describe.skipIf(!programs)("a database that was dumped under load and restored into a new server", () => {
  const [before, after] = [useDebianServer(programs!), useDebianServer(programs!)];
  const database = useTestDatabase({ adminUrl: () => before.url });
  const run = usePrograms();

  it("goes on where the dump was taken, whatever the sequences say", async () => {
    const random = seededRandom("dump and restore");
    await installWitness(database.owner);
    const acknowledged = await underLoad(database.urls, random, "off", dump);
    await restore();

    const restored = connect();
    // The dump contains events without a position. Their streams get new events before the old get positions.
    const waiting = await countOutbox(restored);
    expect(waiting).toBeGreaterThan(0);
    acknowledged.push(...await changeEveryPrice());
    acknowledged.push(...await underLoad(moved(), random, "on"));

    // Outbox ids only order the rows in the outbox: reused ids do no harm.
    await sql`alter sequence write.outbox_id_seq restart with 1`.execute(restored);
    acknowledged.push(...await underLoad(moved(), random, "on"));

    run("relay", { preload: [WITH_WITNESS], settings: settingsOf(moved()) });
    const verdict = await verify(restored, { acknowledged, witness: true });
    await report("Dumped under load, restored elsewhere", verdict, random, `${waiting} events in the outbox`);
    expect(verdict).toMatchObject(RIGHT);
  }, FAULT_MS);

  it("is refused while checkpoints are ahead of it, and goes on after a rewind", async () => {
    const random = seededRandom("restored older copy");
    const restored = connect();
    const settings = settingsOf(moved());
    await sql`update relay.checkpoints set position = position + 1000`
      .execute(
        restored,
      );
    await sql`insert into relay.lanes (subscription, stream, next_version, last_version, state, due_at, waiting_since)
      select 'fulfilment', stream, max(version) + 1, max(version) + 3, 'resting', now(), now() from write.events
      where stream like 'order-%' group by stream
      union all select 'payments', 'gone', 1, 2, 'parked', now(), now()`.execute(restored);
    // Imitates effects of events beyond the end of the log on the read models.
    await sql`update read.product_catalog set price_cents = price_cents + 1`.execute(restored);
    await sql`delete from read.order_details`.execute(restored);

    const refused = run("relay", { settings });
    expect(await refused.ended).toBe(1);
    expect(refused.output.trim().split("\n").at(-1)).toMatch(
      /^Cannot relay: the checkpoint of \w+ is at position \d+, but the log ends at \d+; .+ run "npm run rewind"$/,
    );

    const rewinding = run("rewind", { settings });
    expect(await rewinding.ended).toBe(0);
    const { rows: [last] } = await sql<{ position: number }>`
      select max(position) as position from relay.log`.execute(restored);
    const names = ["fulfilment", "fulfilment_queue", "order_details", "product_catalog", "sales_by_day"];
    for (const name of names) {
      expect(rewinding.output).toContain(
        `Set ${name} back from ${last!.position + 1000} to ${last!.position}\n`,
      );
    }
    expect(rewinding.output).toContain("Recomputed every read model\n");
    expect(await verify(restored, { acknowledged: [], witness: true })).toMatchObject(RIGHT);

    const again = run("rewind", { settings });
    expect(await again.ended).toBe(0);
    expect(again.output).toBe("Nothing to rewind\n");
    const acknowledged = await underLoad(moved(), random, "on");
    run("relay", { preload: [WITH_WITNESS], settings });
    const verdict = await verify(restored, { acknowledged, witness: true });
    await report("Checkpoints ahead of a restored copy", verdict, random, "refused, then rewound");
    expect(verdict).toMatchObject(RIGHT);
  }, FAULT_MS);

  /** Returns the ids of the acknowledged events: before `meanwhile` began, or all without `meanwhile`. */
  async function underLoad(
    urls: DatabaseUrls,
    random: Random,
    RELAY: "on" | "off",
    meanwhile?: () => Promise<void>,
  ): Promise<string[]> {
    const program = run("start", { preload: [WITH_WITNESS], settings: { ...settingsOf(urls), RELAY } });
    const url = await program.printed(/Listening on (\S+)/);
    const load = startLoad(() => url, random);
    await load.untilAnswered(COMMANDS);
    const early = [...load.acknowledged];
    await meanwhile?.();
    await load.stop();
    if (RELAY === "on") await settled(database.open(urls.owner));
    program.signal("SIGTERM");
    expect(await program.ended).toBe(0);
    return meanwhile ? early : load.acknowledged;
  }

  const file = (server: { folder: string }) => join(server.folder, "dump");

  async function dump() {
    await must(join(programs!, "pg_dumpall"), [
      "--roles-only",
      "-d",
      before.url,
      "-f",
      `${file(before)}.roles`,
    ], before.owner);
    const whole = ["-Fc", "--create", "-d", database.urls.owner, "-f", file(before)];
    await must(join(programs!, "pg_dump"), whole, before.owner);
  }

  async function restore() {
    // psql reports that the superuser exists, and goes on.
    await must(join(programs!, "psql"), ["-q", "-d", after.url, "-f", `${file(before)}.roles`], after.owner);
    await must(
      join(programs!, "pg_restore"),
      ["--create", "--exit-on-error", "-d", after.url, file(before)],
      after.owner,
    );
  }

  /** Returns the URLs of the same database on the new server. */
  function moved(): DatabaseUrls {
    const move = (url: string) => Object.assign(new URL(url), { host: new URL(after.url).host }).href;
    const { owner, command, query, relay, direct } = database.urls;
    return {
      owner: move(owner),
      command: move(command),
      query: move(query),
      relay: move(relay),
      direct: move(direct),
    };
  }

  function connect(): Database {
    return database.open(moved().owner);
  }

  async function changeEveryPrice(): Promise<string[]> {
    const command = database.open(moved().command);
    const products = await command.selectFrom("write.products").select("id").execute();
    const answers = await Promise.all(
      products.map(({ id }) => execute(command, changePrice, { id, input: { priceCents: 1 } }, anybody)),
    );
    return answers.map(({ lastEventId }) => lastEventId!);
  }

  async function countOutbox(db: Database): Promise<number> {
    const { rows } = await sql`select from write.outbox`.execute(db);
    return rows.length;
  }
});
