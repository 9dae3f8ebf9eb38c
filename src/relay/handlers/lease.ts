import { type RawBuilder, sql } from "kysely";
import type { Database } from "../../database/database.ts";
import { isUnavailable } from "../../errors.ts";
import { sleep } from "../../sleep.ts";
import type { Batch } from "../subscription.ts";

/** The length of a lease. Before the end, no other relay goes on with the work of a dead relay. */
export const LEASE_MS = 3_000;
const SAY_AGAIN_MS = 100;

/** A batch reserved for a single relay. */
export interface Lease {
  /**
   * Later leases have higher fences: changes under an older fence are refused. Null when nothing is left to
   * do: an earlier lease had run out, and the leased events became retries.
   */
  fence: number | null;
  /** The streams waiting behind a retry. */
  blocked: string[];
}

/** An event to try again: not handled yet, although the checkpoint moves on. */
export interface NewRetry {
  position: number;
  stream: string;
  /** The number of counted tries. */
  attempts: number;
  due_in_ms: number;
  last_error: string | null;
}

/**
 * Leases a batch. Returns undefined when the checkpoint is elsewhere, rests, or is taken by another relay.
 * @see migrations/0006_handlers.sql
 */
export async function leaseBatch(db: Database, name: string, { from, to, events }: Batch) {
  const streams = [...new Set(events.map(({ stream }) => stream))];
  const lease = sql<Lease>`relay.lease(${name}, ${from}, ${to}, ${streams}::text[], ${LEASE_MS})`;
  return await db.selectFrom(lease.as("lease")).selectAll().executeTakeFirst();
}

/** Ends a lease: moves the checkpoint on and stores the retries. Returns false when the lease is lost. */
export async function settleBatch(db: Database, name: string, { fence }: Lease, retries: NewRetry[]) {
  return await call(db, sql`relay.settle(${name}, ${fence}, ${JSON.stringify(retries)}::text::jsonb)`);
}

/** Moves the checkpoint over a batch without any event for the subscription. */
export async function passBatch(db: Database, name: string, { from, to }: Batch): Promise<boolean> {
  return await call(db, sql`relay.pass(${name}, ${from}, ${to})`);
}

async function call(db: Database, expression: RawBuilder<unknown>): Promise<boolean> {
  const { done } = await db.selectNoFrom(expression.$castTo<boolean>().as("done")).executeTakeFirstOrThrow();
  return done;
}

/** Prolongs the lease of a batch. Returns false when the lease is lost. */
export async function renewBatch(db: Database, name: string, { fence }: Lease): Promise<boolean> {
  const { numUpdatedRows } = await db.updateTable("relay.checkpoints")
    .set({ leased_until: sql<Date>`relay.in_ms(${LEASE_MS})` })
    .where("subscription", "=", name).where("fence", "=", fence).where("leased_to", "is not", null)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

/** Works, and renews the lease meanwhile. The signal aborts when the lease is lost to another relay. */
export async function whileRenewing<T>(
  renew: () => Promise<boolean>,
  work: (lost: AbortSignal) => Promise<T>,
): Promise<T> {
  const done = new AbortController();
  const lost = new AbortController();
  const renewing = keepRenewing(renew, done.signal, lost);
  try {
    return await work(lost.signal);
  } finally {
    done.abort();
    await renewing;
  }
}

async function keepRenewing(
  renew: () => Promise<boolean>,
  signal: AbortSignal,
  lost: AbortController,
): Promise<void> {
  for (;;) {
    await sleep(LEASE_MS / 4, signal);
    if (signal.aborted) return;
    // A failed renewal is tried again. If all fail, the lease runs out, and another relay takes over.
    if (!await renew().catch(() => true)) lost.abort();
  }
}

/**
 * Stores the end of the work. Tries again while the database is away, up to twice the length of a lease: no
 * other relay can take over meanwhile.
 */
export async function sayEnd<T>(say: () => Promise<T>): Promise<T> {
  for (const deadline = performance.now() + 2 * LEASE_MS;;) {
    try {
      return await say();
    } catch (error) {
      if (!isUnavailable(error) || performance.now() > deadline) throw error;
    }
    await sleep(SAY_AGAIN_MS);
  }
}
