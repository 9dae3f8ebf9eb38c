import type { Database } from "../database/database.ts";
import type { MigrateOptions, Migrations } from "./migrations.ts";
import { listAccepted, note, prepare } from "./applied.ts";
import { listHalfBuilt, tellHalfBuilt } from "./half-built.ts";
import { expectMigrationLock } from "./lock.ts";
import { checksumOf, type Pending } from "./pending.ts";
import { runAlone, runInside } from "./run.ts";

/** A migrate that has the lock. */
export interface Work extends Required<MigrateOptions> {
  owner: Database;
  migrations: Migrations;
}

/** Applies migrations in a transaction, and in the same transaction sets the roles, unless others follow. */
export async function applyTogether(
  { owner, migrations, takeWarnings }: Work,
  steps: Pending[],
  roles: "later" | "now",
): Promise<void> {
  await owner.transaction().setIsolationLevel("read committed").execute(async (trx) => {
    await expectMigrationLock(trx);
    await prepare(trx);
    for (const { name, text, checksum } of steps) {
      await runInside(trx, name, text, takeWarnings);
      await note(trx, name, checksum);
    }
    if (roles === "later") return;
    await noteAccepted(trx, migrations);
    await runInside(trx, "the roles", migrations.roles, takeWarnings);
  });
}

/** Stores the checksums of files whose edits the owner of the database has accepted. */
async function noteAccepted(trx: Database, { numbered }: Migrations): Promise<void> {
  for (const name of await listAccepted(trx)) {
    const text = numbered[name];
    if (text !== undefined) await note(trx, name, await checksumOf(text));
  }
}

/** Applies a migration outside any transaction. @throws {Error} If it fails: the message names what is left. */
export async function applyAlone({ owner, takeWarnings }: Work, step: Pending): Promise<void> {
  try {
    await runAlone(owner, step, takeWarnings);
  } catch (error) {
    const halfBuilt = await listHalfBuilt(owner);
    if (halfBuilt.length === 0 || !(error instanceof Error)) throw error;
    throw new Error(`${error.message}; ${tellHalfBuilt(halfBuilt)}`, { cause: error.cause });
  }
  await note(owner, step.name, step.checksum);
}
