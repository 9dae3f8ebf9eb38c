import { sql } from "kysely";
import type { Database } from "../../src/database/database.ts";
import { until } from "./until.ts";

export interface Held {
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/** Does some work in a transaction and keeps the transaction open until `commit` or `rollback`. */
export async function hold(db: Database, work: (trx: Database) => Promise<unknown>): Promise<Held> {
  let finish!: (end: "commit" | "rollback") => void;
  const ended = new Promise<"commit" | "rollback">((resolve) => finish = resolve);
  let done!: Promise<void>;
  await new Promise<void>((resolve, reject) => {
    done = db.transaction().execute(async (trx) => {
      await work(trx);
      resolve();
      if (await ended === "rollback") throw ROLLBACK;
    }).catch((error) => {
      if (error !== ROLLBACK) throw error;
    });
    done.catch(reject);
  });
  const end = (how: "commit" | "rollback") => {
    finish(how);
    return done;
  };
  return { commit: () => end("commit"), rollback: () => end("rollback") };
}

const ROLLBACK = new Error("Rolled back on purpose");

/** Waits until at least `statements` statements in the database of `db` wait for a lock. */
export async function untilBlocked(db: Database, statements = 1): Promise<void> {
  await until(`${statements} statements wait for a lock`, async () => {
    const { rows } = await sql`
      select from pg_locks join pg_stat_activity using (pid) where datname = current_database() and not granted`
      .execute(db);
    return rows.length >= statements;
  });
}
