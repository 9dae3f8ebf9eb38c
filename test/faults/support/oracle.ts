import { sql } from "kysely";
import type { Database } from "../../../src/database/database.ts";
import { until } from "../../support/until.ts";
import { logChecks, readModelChecks, witnessChecks } from "./checks.ts";

/** The number of errors of each kind after a fault. Without errors, all are 0 except `events`. */
export interface Verdict {
  /** The number of events in the log. */
  events: number;
  missed: number;
  twice: number;
  outOfOrder: number;
}

/** The longest time without any progress. */
const STUCK_MS = 60_000;

/** Waits until every event is numbered and handled by every subscription. No writer may still be at work. */
export async function settled(owner: Database): Promise<void> {
  for (let before = "none";;) {
    const { isSettled, state } = await until(`the dust settles, or ${before} changes`, async () => {
      const now = await look(owner);
      return (now.isSettled || now.state !== before) && now;
    }, STUCK_MS);
    if (isSettled) return;
    before = state;
  }
}

async function look(owner: Database): Promise<{ isSettled: boolean; state: string }> {
  const { rows: [row] } = await sql<{ isSettled: boolean; state: string }>`
    select outbox = 0 and lag = 0 and retries = 0 as "isSettled",
      format('%s in the outbox, a lag of %s, %s retries', outbox, lag, retries) as state
    from (select count(*) as outbox from write.outbox) as waiting,
      (select coalesce(max(position), 0) as last from relay.log) as log,
      lateral (select sum(abs(log.last - position)) as lag from relay.checkpoints) as behind,
      (select count(*) as retries from relay.retries) as set_aside`.execute(owner);
  return row!;
}

export interface Given {
  /** The ids of the events acknowledged to clients. */
  acknowledged: string[];
  /** True when a witness ran: the effects are checked, too. */
  witness?: boolean;
}

/** Waits until every event is handled, then checks all stored data. Returns the numbers of errors. */
export async function verify(owner: Database, given: Given): Promise<Verdict> {
  await settled(owner);
  // A single snapshot for all checks: a read model and its definition are compared at the same moment.
  return await owner.transaction().setIsolationLevel("repeatable read").execute((trx) => judge(trx, given));
}

/** Counts the errors, and prints an example of each kind. */
export async function judge(trx: Database, { acknowledged, witness = false }: Given): Promise<Verdict> {
  const { rows: [log] } = await sql<{ count: number }>`select count(*) from relay.log`.execute(trx);
  const verdict: Verdict = { events: log!.count, missed: 0, twice: 0, outOfOrder: 0 };
  const checks = [
    ...logChecks(acknowledged),
    ...await readModelChecks(trx),
    ...witness ? witnessChecks() : [],
  ];
  for (const { kind, what, offenders } of checks) {
    const { rows } = await offenders.execute(trx);
    verdict[kind] += rows.length;
    if (rows.length > 0) console.log(`${what}: ${rows.length}, such as ${rows[0]!.offender}`);
  }
  return verdict;
}
