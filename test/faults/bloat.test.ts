import { sql } from "kysely";
import { afterAll, beforeAll, expect, it } from "vitest";
import { subscribeReadModel } from "../../src/read/read-model.ts";
import { createRelay } from "../../src/relay/relay.ts";
import { runRelay } from "../../src/relay/waking/run.ts";
import { app } from "../jars/app.ts";
import { aJar } from "../jars/arrange.ts";
import { useTestDatabase } from "../support/database.ts";
import { describeOnServer } from "../support/postgres.ts";
import { until } from "../support/until.ts";
import { shortOrLong } from "./support/length.ts";
import { useOwnServer } from "./support/own-server.ts";

const LOAD_MS = shortOrLong(4_000, 600_000);
const WRITERS = 4;
/** Many events per append: a few seconds leave as much behind as some minutes of single events. */
const BULK_EVENTS = 50;
const SETTLE_MS = 60_000;
/** A few index pages stay in the path of a statement after any load. */
const SPARSE_PAGES = 8;

const server = useOwnServer();
const test = useTestDatabase({ jars: true, adminUrl: () => server.url });
const stopping = new AbortController();
let running: Promise<void> = Promise.resolve();

beforeAll(async () => {
  // The default, once a minute, is too slow for a test; nothing else differs.
  await sql`alter system set autovacuum_naptime = '1s'`.execute(test.open(server.url));
  await server.restart("fast");
  running = runRelay(
    createRelay({ db: test.relay, subscriptions: app.readModels.map(subscribeReadModel) }),
    test.urls.direct,
    stopping.signal,
  );
});
afterAll(async () => {
  stopping.abort();
  await running;
});

describeOnServer("a long load under an old snapshot", () => {
  it(
    "leaves nothing behind that a drain or a query walks over, and a command costs what it did",
    async () => {
      // Loads as much as under the snapshot: otherwise the indexes could be a level deeper afterwards.
      await load(LOAD_MS);
      await sql`vacuum`.execute(test.owner);
      const before = await costs();
      const release = await oldSnapshot();
      const from = await lastPosition();
      await load(LOAD_MS);
      const events = await lastPosition() - from;
      console.log(
        `${events} events under an old snapshot, pages before: ${say(before)}; at once: ${
          say(await costs())
        }`,
      );

      await untilCheap(events / 10);
      console.log(`the snapshot still there: ${say(await costs())}`);
      await release();
      await untilVacuumed();
      // Removes the dead rows of the last seconds: not from the old snapshot, and not in `before` either.
      await sql`vacuum`.execute(test.owner);
      const after = await costs();
      console.log(`afterwards: ${say(after)}`);
      for (const what of WHAT) {
        expect(after[what], what).toBeLessThanOrEqual(before[what] * 1.2 + SPARSE_PAGES);
      }
    },
    3 * LOAD_MS + 2 * SETTLE_MS,
  );
});

type What = "command" | "drain" | "freshness";

const WHAT: What[] = ["command", "drain", "freshness"];

const STATEMENTS = {
  command: () => {
    const [id, stream] = [crypto.randomUUID(), `cost-${crypto.randomUUID()}`];
    return sql`select write.append(${stream}, 0, ${eventsOf([id])}::text::jsonb, null)`;
  },
  drain: () => sql`select relay.number_events(1000)`,
  freshness: () => sql`select * from read.freshness where read_model = 'jar_details'`,
};

/** Appends single events until costs are low: numbering moves the start of the outbox. */
async function untilCheap(bound: number): Promise<void> {
  let now: Record<What, number> | undefined;
  await until("everything costs little, though the snapshot is still there", async () => {
    await aJar(test.command);
    now = await costs();
    return WHAT.every((what) => now![what] <= bound);
  }, SETTLE_MS).catch((error) => {
    throw new Error(`Not cheap: ${say(now!)}`, { cause: error });
  });
}

/** Waits for autovacuum: the database itself notices the dead rows in the outbox. */
async function untilVacuumed(): Promise<void> {
  await until("the outbox has been vacuumed", async () => {
    const { rows } = await sql`
      select from pg_stat_user_tables
      where relid = 'write.outbox'::regclass and autovacuum_count > 0 and n_dead_tup < 1000`.execute(
      test.owner,
    );
    return rows.length > 0;
  }, SETTLE_MS);
}

/** Waits for an empty outbox. Returns the pages touched by each statement, as the median of five runs. */
async function costs(): Promise<Record<What, number>> {
  await until("the outbox is empty", async () => {
    const { rows } = await sql`select from write.outbox limit 1`.execute(test.owner);
    return rows.length === 0;
  }, SETTLE_MS);
  return {
    drain: await costOf("drain"),
    freshness: await costOf("freshness"),
    command: await costOf("command"),
  };
}

async function costOf(what: What): Promise<number> {
  const pages: number[] = [];
  for (let time = 0; time < 5; time++) {
    const { rows } = await sql<{ "QUERY PLAN": { Plan: Record<string, number> }[] }>`
      explain (analyze, buffers, format json) ${STATEMENTS[what]()}`.execute(test.owner);
    const plan = rows[0]!["QUERY PLAN"][0]!.Plan;
    pages.push(plan["Shared Hit Blocks"]! + plan["Shared Read Blocks"]!);
  }
  return pages.toSorted((one, other) => one - other)[2]!;
}

function say(costs: Record<What, number>): string {
  return Object.entries(costs).map(([what, pages]) => `${what} ${pages}`).join(", ");
}

async function load(ms: number): Promise<void> {
  const end = performance.now() + ms;
  await Promise.all(Array.from({ length: WRITERS }, async () => {
    while (performance.now() < end) {
      await aJar(test.command);
      const ids = Array.from({ length: BULK_EVENTS }, () => crypto.randomUUID());
      await sql`select write.append(${`bulk-${ids[0]}`}, 0, ${eventsOf(ids)}::text::jsonb, null)`.execute(
        test.command,
      );
    }
  }));
}

function eventsOf(ids: string[]): string {
  return JSON.stringify(ids.map((id) => ({ id, type: "Loaded", data: {}, metadata: {} })));
}

/** Opens a snapshot, like a backup or a forgotten transaction. Returns a function for the release. */
async function oldSnapshot(): Promise<() => Promise<unknown>> {
  const session = test.driver(test.urls.owner);
  await session`begin isolation level repeatable read`;
  await session`select count(*) from write.jars`;
  return async () => await session`rollback`;
}

async function lastPosition(): Promise<number> {
  const { rows } = await sql<{ last: number }>`select coalesce(max(position), 0) as last from relay.log`
    .execute(
      test.owner,
    );
  return rows[0]!.last;
}
