import { readFile } from "node:fs/promises";
import { beforeAll, expect, it } from "vitest";
import type { Database } from "../../src/database/database.ts";
import { ask } from "../../src/read/ask.ts";
import { subscribeReadModel } from "../../src/read/read-model.ts";
import { drainBatch } from "../../src/relay/drain.ts";
import { createRelay, type Relay } from "../../src/relay/relay.ts";
import { execute } from "../../src/write/execute.ts";
import { useOwnServer } from "../faults/support/own-server.ts";
import { aJar } from "../jars/arrange.ts";
import { fillJar, jarDetails, openJar } from "../jars/jar.ts";
import { anybody } from "../support/context.ts";
import { type Costs, useCosts, type Work } from "../support/costs.ts";
import { useTestDatabase } from "../support/database.ts";
import { useDatabases } from "../support/databases.ts";
import { describeOnServer } from "../support/postgres.ts";

/** Other figures may differ by a twentieth. */
const EXACT = ["roundTrips", "statements", "rowsWritten"];

const honey = { input: { label: "Honey" } };

describeOnServer("the cost, without a clock,", () => {
  const server = useOwnServer();
  const test = useTestDatabase({ adminUrl: () => server.url, jars: true });
  const { asAdmin } = useDatabases(() => server.url);
  const measure = useCosts(test, () => server.url);
  const opened = () => aJar(test.command);
  const nothing = () => Promise.resolve("");

  beforeAll(async () => {
    // Nothing happens by the clock: no vacuum, and no page is written as a whole after a checkpoint.
    await asAdmin("alter system set autovacuum = off");
    await asAdmin("alter system set full_page_writes = off");
    await asAdmin("select pg_reload_conf()");
    // The same work with the shop as without.
    await test.owner.deleteFrom("relay.checkpoints").where("subscription", "!=", jarDetails.name).execute();
  });

  it.each<{ of: string; role: "command" | "query" | "relay"; arrange: () => Promise<string>; work: Work }>([
    {
      of: "a command with nothing to load",
      role: "command",
      arrange: nothing,
      work: (db) => execute(db, openJar, honey, anybody),
    },
    {
      of: "a command with an idempotency key",
      role: "command",
      arrange: nothing,
      work: (db) => execute(db, openJar, honey, { ...anybody, idempotencyKey: crypto.randomUUID() }),
    },
    {
      of: "a command with an aggregate to load",
      role: "command",
      arrange: opened,
      work: (db, id) => execute(db, fillJar, { id, input: { grams: 1 } }, anybody),
    },
    { of: "a query by id", role: "query", arrange: opened, work: findJar },
    { of: "a look of a relay at an event for a read model", role: "relay", arrange: opened, work: look },
    { of: "a look of a relay at nothing", role: "relay", arrange: nothing, work: look },
  ])("of $of is the cost in costs.json", async ({ of, role, arrange, work }) => {
    const found = await measure(role, arrange, work);
    expect(found, `Costs of ${of}: change costs.json on purpose only`).toEqual(near(found, expected[of]!));
  });
});

const expected: Record<string, Costs> = JSON.parse(
  await readFile(new URL("costs.json", import.meta.url), "utf8"),
);

/** Returns the expected figures, except those that are near enough: these as found. */
function near(found: Costs, expected: Costs): Record<string, number> {
  const figures = Object.entries<number>(expected as unknown as Record<string, number>);
  return Object.fromEntries(figures.map(([name, figure]) => {
    const value = found[name as keyof Costs];
    const isNear = !EXACT.includes(name) && Math.abs(value - figure) <= figure / 20;
    return [name, isNear ? value : figure];
  }));
}

function findJar(db: Database, id: string) {
  return ask(
    db,
    jarDetails,
    { level: "eventual" },
    (from) => db.selectFrom(from).select(["label", "grams", "version"]).where("jar_id", "=", id),
  );
}

/** The relay of each pool: a relay knows the end of its last look. */
const relays = new WeakMap<Database, Relay>();

async function look(db: Database): Promise<void> {
  const relay = relays.get(db) ?? createRelay({ db, subscriptions: [subscribeReadModel(jarDetails)] });
  relays.set(db, relay);
  await drainBatch(relay);
  await relay.tasks.waitForAll(5_000);
}
