import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import { isDatabaseError } from "../errors.ts";
import { sleep } from "../sleep.ts";

/** The lock of migrations in a database. */
const LOCK = sql`hashtextextended('cqrs migrate', 0)`;
const LOOK_EVERY_MS = 200;
const WAIT_MS_MAX = 3_600_000;

/** The longest wait for a lock on a table: commands and queries on the table wait behind. */
export const LOCK_TIMEOUT_MS = 300;
const PAUSE_MS = 1_000;

/** lock_not_available, deadlock_detected. */
const LOCKED = ["55P03", "40P01"];

export interface Tries {
  /** The tries to get the locks on tables. */
  tries: number;
  report(line: string): void;
}

/**
 * Does the work while no other process migrates. The lock belongs to the session, hence the pool has a single
 * connection. Asks again and again: a process waiting inside PostgreSQL would have an open snapshot, and
 * `create index concurrently` of the working process waits for all open snapshots.
 */
export async function withMigrationLock<T>(
  owner: Database,
  report: (line: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + WAIT_MS_MAX;
  for (let tries = 1; !await tryLock(owner, sql`pg_try_advisory_lock`); tries++) {
    if (tries === 1) report("Waiting for another migrate");
    if (performance.now() > deadline) {
      throw new Error("Cannot migrate: another migrate still runs; try again");
    }
    await sleep(LOOK_EVERY_MS);
  }
  try {
    return await work();
  } finally {
    // Without a connection, the lock is gone.
    await sql`select pg_advisory_unlock(${LOCK})`.execute(owner).catch(() => {});
  }
}

/** Checks in a transaction that the session still has the lock. A lost connection was made anew without. */
export async function expectMigrationLock(trx: Database): Promise<void> {
  if (await tryLock(trx, sql`pg_try_advisory_xact_lock`)) return;
  throw new Error("Cannot migrate: the connection was lost, and another process migrates; try again");
}

async function tryLock(db: Database, lock: ReturnType<typeof sql>): Promise<boolean> {
  const { rows } = await sql<{ taken: boolean }>`select ${lock}(${LOCK}) as taken`.execute(db);
  return rows[0]!.taken;
}

/**
 * Does the work again, after a pause, while others hold the locks on tables that the work needs.
 * @throws {Error} If the locks cannot be had: try again later.
 */
export async function withTries<T>(
  owner: Database,
  { tries: most, report }: Tries,
  work: () => Promise<T>,
): Promise<T> {
  for (let tries = 1;; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Error) || !isLocked(error)) throw error;
      const holders = await listHolders(owner);
      const reason = `${error.message}${holders.length > 0 ? ` (${holders.join(", ")})` : ""}`;
      if (tries === most) throw new Error(`${reason}; nothing waits now, try again`, { cause: error });
      report(`${reason.replace(/^Cannot migrate/, "Waiting with")}; try ${tries} of ${most}`);
      await sleep(PAUSE_MS);
    }
  }
}

function isLocked({ cause }: Error): boolean {
  return isDatabaseError(cause) && LOCKED.includes(cause.code);
}

/** Names the other sessions with locks on tables, the table of each as an example: three at most. */
async function listHolders(db: Database): Promise<string[]> {
  const { rows } = await sql<{ holder: string }>`
    select format('%s, pid %s, holds %s', coalesce(nullif(application_name, ''), usename), pid, min(relation::regclass::text))
      as holder
    from pg_locks join pg_stat_activity using (pid)
    join pg_class on pg_class.oid = relation join pg_namespace on pg_namespace.oid = relnamespace
    where pid <> pg_backend_pid() and granted and locktype = 'relation' and nspname in ('write', 'relay', 'read')
      and pg_locks.database = (select oid from pg_database where datname = current_database())
    group by pid, application_name, usename, backend_start order by backend_start limit 3`.execute(db);
  return rows.map(({ holder }) => holder);
}
