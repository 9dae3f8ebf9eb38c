import { sql } from "kysely";
import { isDatabaseError } from "../../errors.ts";
import { readMigrations } from "../migrations.ts";
import { type Finding, type Login, ok, placeOf, problem, warning } from "./finding.ts";

/** undefined_table, insufficient_privilege: nobody has migrated yet. */
const NOT_YET = ["42P01", "42501"];

/** Whether the database has the migrations of this code, for every role: a replica may lag, or be another database. */
export async function checkMigrations(logins: Login[]): Promise<Finding[]> {
  const known = Object.keys(await readMigrations());
  return await Promise.all(logins.map(async (login) => judge(login, known, await listApplied(login))));
}

function judge(login: Login, known: string[], applied: string[]): Finding {
  const pending = known.filter((name) => !applied.includes(name));
  const unknown = applied.filter((name) => !known.includes(name));
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

async function listApplied({ db }: Login): Promise<string[]> {
  try {
    const { rows } = await sql<{ name: string }>`select name from public.kysely_migration`.execute(db);
    return rows.map(({ name }) => name);
  } catch (error) {
    if (isDatabaseError(error) && NOT_YET.includes(error.code)) return [];
    throw error;
  }
}
