import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import { listEdited } from "../migrate/pending.ts";
import { listApplied, MIGRATIONS } from "../migrated.ts";
import { type Finding, type Login, ok, placeOf, problem, warning } from "./finding.ts";

/**
 * Compares applied with known migrations, for every login: a replica may lag, or be another database.
 * `numbered` has the text of each file by name.
 */
export async function checkMigrations(
  logins: Login[],
  numbered: Record<string, string>,
): Promise<Finding[]> {
  const findings = logins.map(async (login) => {
    const applied = await listApplied(login.db);
    return judge(login, applied, applied.length === 0 ? [] : await findEdited(login.db, numbered));
  });
  return await Promise.all(findings);
}

async function findEdited(db: Database, numbered: Record<string, string>): Promise<string[]> {
  const { rows } = await sql<{ name: string; checksum: string | null }>`
    select name, checksum from migrations.applied order by name`.execute(db);
  return await listEdited(numbered, rows);
}

function judge(login: Login, applied: string[], edited: string[]): Finding {
  const pending = MIGRATIONS.filter((name) => !applied.includes(name));
  const unknown = applied.filter((name) => !MIGRATIONS.includes(name));
  const place = placeOf(login);
  if (pending.length > 0) {
    const what = `${pending.length} migrations are pending for ${place}: ${pending[0]} and on`;
    return problem(what, 'Run "npm run migrate" as the owner');
  }
  if (edited.length > 0) {
    const what = `Files were edited after ${place} had them applied: ${edited.join(", ")}`;
    return problem(what, "Put them back, and write the change as a new migration");
  }
  if (unknown.length > 0) {
    const what = `The database of ${place} is newer than this code: ${unknown.join(", ")}`;
    return warning(what, "Deploy the code that these migrations belong to");
  }
  return ok(`Migrations are up to date for ${place}`);
}
