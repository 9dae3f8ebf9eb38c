import { listApplied, MIGRATIONS } from "../migrated.ts";
import { type Finding, type Login, ok, placeOf, problem, warning } from "./finding.ts";

/** Compares applied with known migrations, for every login: a replica may lag, or be another database. */
export async function checkMigrations(logins: Login[]): Promise<Finding[]> {
  return await Promise.all(logins.map(async (login) => judge(login, await listApplied(login.db))));
}

function judge(login: Login, applied: string[]): Finding {
  const pending = MIGRATIONS.filter((name) => !applied.includes(name));
  const unknown = applied.filter((name) => !MIGRATIONS.includes(name));
  const place = placeOf(login);
  if (pending.length > 0) {
    const what = `${pending.length} migrations are pending for ${place}: ${pending[0]} and on`;
    return problem(what, 'Run "npm run migrate" as the owner');
  }
  if (unknown.length > 0) {
    const what = `The database of ${place} is newer than this code: ${unknown.join(", ")}`;
    return warning(what, "Deploy the code that these migrations belong to");
  }
  return ok(`Migrations are up to date for ${place}`);
}
