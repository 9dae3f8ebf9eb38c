import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import { type Finding, type Login, ok, placeOf, problem, type Role, ROLES } from "./finding.ts";

const COMMON = {
  client_connection_check_interval: "10s",
  idle_in_transaction_session_timeout: "10000",
  tcp_keepalives_count: "3",
  tcp_keepalives_idle: "30s",
  tcp_keepalives_interval: "10s",
};

/** The limits of each role, as `migrations/roles.sql` sets them. A test compares the two. */
export const LIMITS: Record<Role, Record<string, string>> = {
  command: { ...COMMON, lock_timeout: "2000", statement_timeout: "5000", transaction_timeout: "10000" },
  query: { ...COMMON, lock_timeout: "2000", statement_timeout: "10000", transaction_timeout: "20000" },
  relay: { ...COMMON, lock_timeout: "10000", statement_timeout: "300000", transaction_timeout: "310000" },
};

/** Set only where the platform can tell: no problem when missing. */
const OPTIONAL = "client_connection_check_interval";

interface Set {
  /** The settings of the login in the database, for example `lock_timeout=2000`. */
  settings: string[];
  /** The names that the server knows. */
  known: string[];
  database: string;
  /** False if the owner of the schemas may not alter the login. */
  may_alter: boolean;
}

/** Compares the limits of the three logins with those that migrate sets: a plain dump leaves them behind. */
export async function checkLimits(logins: Login[]): Promise<Finding[]> {
  const findings = logins.map(async (login) => {
    const role = ROLES.find((role) => role === login.role);
    return role ? judge(role, login, await listSettings(login.db, role)) : [];
  });
  return (await Promise.all(findings)).flat();
}

function judge(role: Role, login: Login, found: Set | undefined): Finding[] {
  if (!found) return [];
  const place = placeOf(login);
  const wrong = Object.entries(LIMITS[role]).flatMap(([name, value]) => {
    const setting = found.settings.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
    if (setting === value || !found.known.includes(name) || (!setting && name === OPTIONAL)) return [];
    return [setting === undefined ? `${name} is not set` : `${name} is ${setting}, not ${value}`];
  });
  if (wrong.length === 0) return [ok(`The limits of ${place} are set`)];
  const advice = found.may_alter
    ? 'Run "npm run migrate" as the owner'
    : `The owner may not alter the role: have an admin run migrations/roles.sql with psql in "${found.database}"`;
  return [problem(`The limits of ${place} are not those of its role: ${wrong.join(", ")}`, advice)];
}

/** Returns nothing for a login that is not named after the database: its limits are its owner's business. */
async function listSettings(db: Database, role: Role): Promise<Set | undefined> {
  const { rows } = await sql<Set>`
    select
      current_database() as database,
      to_jsonb(coalesce((
        select setconfig from pg_db_role_setting
        where setrole = me.oid and setdatabase = (select oid from pg_database where datname = current_database())
      ), '{}')) as settings,
      (select jsonb_agg(name) from pg_settings) as known,
      owner.rolsuper or (owner.rolcreaterole and (
        current_setting('server_version_num')::integer < 160000
        or exists (select from pg_auth_members where roleid = me.oid and member = owner.oid and admin_option)
      )) as may_alter
    from pg_roles as me, pg_namespace join pg_roles as owner on owner.oid = nspowner
    where me.rolname = current_user and current_user = current_database() || '_' || ${role} and nspname = 'migrations'`
    .execute(db);
  return rows[0];
}
