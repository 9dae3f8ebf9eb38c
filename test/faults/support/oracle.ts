import { sql } from "kysely";
import type { Database } from "../../../src/database/database.ts";
import { until } from "../../support/until.ts";
import { logChecks, readModelChecks, witnessChecks } from "./checks.ts";

/** What is wrong after a fault: only zeros, next to the number of events, is right. */
export interface Verdict {
  /** In the log. */
  events: number;
  missed: number;
  twice: number;
  outOfOrder: number;
}

/** How long nothing may move before that counts as stuck. */
const STUCK_MS = 60_000;

/** Waits until every event is numbered and every subscription has handled it. Nobody may be writing any more. */
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
  /** The ids of the events that clients got an answer for. */
  acknowledged: string[];
  /** Whether there was a witness, whose effects are counted too. */
  witness?: boolean;
}

/** Waits until the dust has settled, then holds all that is stored against what must be true of it. */
export async function verify(owner: Database, given: Given): Promise<Verdict> {
  await settled(owner);
  // One snapshot for all: a read model and its definition are compared as of the same moment.
  return await owner.transaction().setIsolationLevel("repeatable read").execute((trx) => judge(trx, given));
}

/** Counts what is wrong, and prints some of it. */
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
