import type { Database } from "./database/database.ts";
import { expectUtf8 } from "./database/session.ts";
import { listApplied } from "./migrate/applied.ts";
import { applyAlone, applyTogether, type Work } from "./migrate/apply.ts";
import { tellOfHalfBuilt } from "./migrate/half-built.ts";
import { withMigrationLock, withTries } from "./migrate/lock.ts";
import { nameOf, refuseDatabaseName } from "./migrate/names.ts";
import type { MigrateOptions, Migrations } from "./migrate/migrations.ts";
import { listPending, type Pending, refuseEdited } from "./migrate/pending.ts";
import { explain } from "./migrate/run.ts";

const TRIES = 20;

/**
 * Applies pending migrations and afterwards roles, limits and rights, one process at a time: in one
 * transaction, unless files run alone. The database must be connected directly, as the owner, by a pool of a
 * single connection. Migrations known only to the database, from a newer program, stay untouched. Pending
 * migrations may come before applied migrations, as after an upgrade of the machinery below an owner's
 * migrations.
 *
 * @returns The names of the applied numbered migrations.
 * @throws {Error} If a migration fails: nothing of its transaction was applied.
 */
export async function migrate(
  owner: Database,
  migrations: Migrations,
  options: MigrateOptions = {},
): Promise<string[]> {
  const { report = () => {}, takeWarnings = () => [], tries = TRIES } = options;
  const work: Work = { owner, migrations, report, takeWarnings, tries };
  return await withMigrationLock(owner, report, () => applyPending(work)).catch(explain("the database"));
}

async function applyPending(work: Work): Promise<string[]> {
  const { owner, migrations, report } = work;
  refuseDatabaseName(await nameOf(owner));
  await expectUtf8(owner);
  const applied = await listApplied(owner);
  await refuseEdited(migrations, applied);
  const newer = applied.map(({ name }) => name).filter((name) => migrations.numbered[name] === undefined);
  if (newer.length > 0) report(`The database is newer than this program: it has ${newer.join(", ")}`);
  const pending = await listPending(migrations, applied);
  await tellOfHalfBuilt(work, pending);
  const groups = inTransactions(pending);
  for (const [place, steps] of groups.entries()) {
    const [first] = steps;
    const roles = place < groups.length - 1 || newer.length > 0 ? "later" : "now";
    await withTries(owner, work, async () => {
      if (first?.isAlone) await applyAlone(work, first);
      else await applyTogether(work, steps, roles);
    });
    for (const { name } of steps) report(`Applied ${name}`);
  }
  if (newer.length > 0) await setRolesIfPossible(work);
  return pending.map(({ name }) => name);
}

/** Sets the roles on a database of a newer program, where rights may name what is no longer there. */
async function setRolesIfPossible(work: Work): Promise<void> {
  await applyTogether(work, [], "now").catch(({ message }: Error) =>
    work.report(`The roles and their rights stay as the newer program set them: ${message}`)
  );
}

/** Puts neighbours into a transaction, and a file that runs alone by itself. The last is a transaction. */
function inTransactions(pending: Pending[]): Pending[][] {
  const groups: Pending[][] = [];
  for (const step of pending) {
    const last = groups.at(-1);
    if (last && !step.isAlone && !last[0]!.isAlone) last.push(step);
    else groups.push([step]);
  }
  const last = groups.at(-1)?.[0];
  return last && !last.isAlone ? groups : [...groups, []];
}
