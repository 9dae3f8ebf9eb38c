import { sql } from "kysely";
import type { DatabaseUrls } from "../config.ts";
import type { Database } from "../database/database.ts";
import { poolerOf } from "../database/pooler.ts";
import { SESSION_SETTINGS } from "../database/session-settings.ts";
import { isDatabaseError } from "../errors.ts";

/** insufficient_privilege */
const FORBIDDEN = "42501";

interface Login {
  name: string;
  database: string;
  /** The login's own settings in the database, for example `TimeZone=UTC`. */
  settings: string[];
}

/**
 * Gives the settings of every session to the logins, for the current database: to the three run-time roles,
 * and to other users whose URLs lead through a pooler. Changes only what differs. A login beyond the owner's
 * rights keeps its settings: direct connections need none, and a start behind a pooler compares
 * (`expectSettings`).
 */
export async function giveLoginsTheirSettings(owner: Database, urls: DatabaseUrls): Promise<void> {
  const { rows } = await sql<Login>`
    select rolname as name, current_database() as database, to_jsonb(coalesce(setconfig, '{}')) as settings
    from pg_roles left join pg_db_role_setting on setrole = pg_roles.oid
      and setdatabase = (select oid from pg_database where datname = current_database())
    where rolname = any (${usersOf(urls)}::text[]) or rolname in (
      select current_database() || '_' || role from unnest(array['command', 'query', 'relay']) as role
    )`.execute(owner);
  for (const login of rows) await change(owner, login);
}

/** Returns the users of URLs through a pooler: some poolers want the project after the name, `user.project`. */
function usersOf(urls: DatabaseUrls): string[] {
  const pooled = Object.values(urls).filter((url: string) => poolerOf(url) !== "none");
  return pooled.map((url) => decodeURIComponent(new URL(url).username)).flatMap((user) => [
    user,
    user.split(".")[0]!,
  ]);
}

async function change(owner: Database, { name, database, settings }: Login): Promise<void> {
  const changes = Object.entries(SESSION_SETTINGS).filter(([setting, value]) =>
    !settings.includes(`${setting}=${value}`)
  ).map(([setting, value]) => toStatement(name, database, setting, value));
  if (changes.length === 0) return;
  await owner.transaction().execute(async (trx) => {
    // Two transactions must not change a login at the same time: PostgreSQL would refuse the second.
    await sql`select pg_advisory_xact_lock(hashtext('migrate'))`.execute(trx);
    for (const statement of changes) await statement.execute(trx);
  }).catch((error) => {
    if (!isDatabaseError(error) || error.code !== FORBIDDEN) throw error;
  });
}

/** Returns the statement for a setting. The values of a list are written apart: as a single text they are a name. */
function toStatement(login: string, database: string, setting: string, value: string) {
  const values = sql.join(value.split(", ").map((part) => sql.lit(part)));
  return sql`alter role ${sql.id(login)} in database ${sql.id(database)} set ${sql.id(setting)} to ${values}`;
}
