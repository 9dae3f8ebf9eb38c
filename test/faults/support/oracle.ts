import { sql } from "kysely";
import type { Database } from "../../../src/database/database.ts";
import { until } from "../../support/until.ts";
import { type Check, logChecks, readModelChecks } from "./checks.ts";
import type { Verdict } from "./report.ts";

/** The longest time without any progress. */
const STUCK_MS = 60_000;

/**
 * Waits until every event is numbered, and handled by the given subscriptions, by default by all with a
 * checkpoint. No writer may still be at work.
 */
export async function settled(owner: Database, subscriptions?: string[]): Promise<void> {
  for (let before = "none";;) {
    const { isSettled, state } = await until(`the dust settles, or ${before} changes`, async () => {
      const now = await look(owner, subscriptions);
      return (now.isSettled || now.state !== before) && now;
    }, STUCK_MS);
    if (isSettled) return;
    before = state;
  }
}

async function look(
  owner: Database,
  subscriptions?: string[],
): Promise<{ isSettled: boolean; state: string }> {
  const counted = subscriptions ? sql`subscription = any(${subscriptions}::text[])` : sql`true`;
  const { rows: [row] } = await sql<{ isSettled: boolean; state: string }>`
    select outbox = 0 and lag = 0 and lanes = 0 as "isSettled",
      format('%s in the outbox, a lag of %s, %s lanes', outbox, lag, lanes) as state
    from (select count(*) as outbox from write.outbox) as waiting,
      (select coalesce(max(position), 0) as last from relay.log) as log,
      lateral (select sum(abs(log.last - position)) as lag from relay.checkpoints where ${counted}) as behind,
      (select count(*) as lanes from relay.lanes) as set_aside`.execute(owner);
  return row!;
}

export interface Given {
  /** The ids of the events acknowledged to clients. */
  acknowledged: string[];
  /** The names of the subscriptions, by default all with a checkpoint. */
  subscriptions?: string[];
  /** More checks than those of the log and the read models. */
  checks?: Check[];
}

/** Waits until every event is handled, then checks all stored data. Returns the numbers of errors. */
export async function verify(owner: Database, given: Given): Promise<Verdict> {
  await settled(owner, given.subscriptions);
  // A single snapshot for all checks: a read model and its definition are compared at the same moment.
  return await owner.transaction().setIsolationLevel("repeatable read").execute((trx) => judge(trx, given));
}

/** Counts the errors, and prints an example of each kind. */
export async function judge(trx: Database, { acknowledged, checks = [] }: Given): Promise<Verdict> {
  const { rows: [log] } = await sql<{ count: number }>`select count(*) from relay.log`.execute(trx);
  const verdict: Verdict = { events: log!.count, missed: 0, twice: 0, outOfOrder: 0 };
  const all = [...logChecks(acknowledged), ...await readModelChecks(trx), ...checks];
  for (const { kind, what, offenders } of all) {
    const { rows } = await offenders.execute(trx);
    verdict[kind] += rows.length;
    if (rows.length > 0) console.log(`${what}: ${rows.length}, such as ${rows[0]!.offender}`);
  }
  return verdict;
}
