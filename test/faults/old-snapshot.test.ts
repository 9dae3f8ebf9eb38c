import { type RawBuilder, sql } from "kysely";
import { expect, it } from "vitest";
import { useTestDatabase } from "../support/database.ts";
import { addHandler, appendMany } from "../support/handlers.ts";

const test = useTestDatabase();

const ROUNDS = 100;
const LANES = 1_000;
/** Pages that a statement may come across by chance. */
const SPARSE_PAGES = 30;

it(
  "A take and a look touch about the same pages after 100,000 lanes came and went under an old snapshot",
  async () => {
    const { name } = await addHandler(test, () => {}, { types: ["Nothing"] });
    await appendMany(test, LANES, "bloat");
    await comeAndGo(name, 1);
    const since = sql`clock_timestamp()`;
    const before = { take: await pagesOf(take(name, since)), look: await pagesOf(look(name, since)) };

    const snapshot = test.driver(test.urls.owner, { max: 1 });
    await snapshot`begin isolation level repeatable read`;
    await snapshot`select from relay.lanes`;
    await comeAndGo(name, ROUNDS);
    const after = { take: await pagesOf(take(name, since)), look: await pagesOf(look(name, since)) };
    const fromBeginning = await pagesOf(look(name, sql`'-infinity'::timestamptz`));
    await snapshot`rollback`;
    console.log(
      `pages before ${JSON.stringify(before)}, after ${
        JSON.stringify(after)
      }, without a since ${fromBeginning}`,
    );
    expect(after.take).toBeLessThanOrEqual(before.take + SPARSE_PAGES);
    expect(after.look).toBeLessThanOrEqual(before.look + SPARSE_PAGES);
    // Otherwise the snapshot was none, and the test would show nothing.
    expect(fromBeginning).toBeGreaterThan(after.look + SPARSE_PAGES);
  },
  120_000,
);

/** Lets lanes become ready and go, as after many failures and losses. */
async function comeAndGo(name: string, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await sql`
      insert into relay.lanes (subscription, stream, next_version, last_version, state, due_at, waiting_since)
      select ${name}, 'test-bloat' || place, 1, 1, 'ready', clock_timestamp(), clock_timestamp()
      from generate_series(0, ${LANES - 1}::integer) as place`.execute(test.owner);
    await sql`delete from relay.lanes where subscription = ${name}`.execute(test.owner);
  }
}

function take(name: string, since: RawBuilder<unknown>) {
  return sql`select * from relay.take_lanes(${name}, '{Nothing}', '{"ready": 8, "resting": 4, "suspect": 4}', ${since}, 100)`;
}

function look(name: string, since: RawBuilder<unknown>) {
  return sql`select relay.due_states(${name}, ${since})`;
}

/** Returns the pages that a statement touches, the second time: the first time, the catalogue is read, too. */
async function pagesOf(statement: RawBuilder<unknown>): Promise<number> {
  const db = test.open(test.urls.owner, { max: 1 });
  await statement.execute(db);
  const { rows: [row] } = await sql<{ "QUERY PLAN": { Plan: Record<string, number> }[] }>`
    explain (analyze, buffers, format json) ${statement}`.execute(db);
  const { Plan: plan } = row!["QUERY PLAN"][0]!;
  return plan["Shared Hit Blocks"]! + plan["Shared Read Blocks"]!;
}
