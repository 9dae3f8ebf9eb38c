import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import { nameOf } from "../migrate/names.ts";
import { type Finding, type Login, ok, placeOf, problem, type Role, ROLES, warning } from "./finding.ts";

/** A right of a login, held or not: `execute` on a function, the other actions on a table or view. */
export interface Right {
  schema: "write" | "relay" | "read";
  name: string;
  action: "select" | "insert" | "update" | "delete" | "truncate" | "execute";
  held: boolean;
}

type Rule = (right: Right) => boolean;

/** The tables of schema write filled only by functions of the owner: no role may insert. */
const SEALED = ["events", "outbox", "idempotency_keys"];

/** The rights of the relay besides reading `relay` and `read`, calling the functions of `relay`, and refreshing. */
const RELAY_ACTIONS: Record<string, Right["action"][]> = {
  "relay.checkpoints": ["update"],
  "relay.listeners": ["insert", "update", "delete"],
  "relay.log": ["insert"],
  "relay.outbox_start": ["update"],
  "relay.lanes": ["insert", "update", "delete"],
  "relay.handled_types": ["insert", "update", "delete"],
  "relay.set_aside": ["insert", "update", "delete"],
  "relay.failures": ["insert", "delete"],
  "relay.skipped": ["insert"],
  "relay.state": ["update"],
  "write.events": ["select"],
  "write.outbox": ["select", "delete"],
  "write.sweep_idempotency_keys": ["execute"],
};

const isRead: Rule = ({ action }) => action === "select";

/** The rights needed by each role: all on the machinery, the common rights on the tables of the business. */
export const NEEDS: Record<Role, Rule> = {
  command: (right) =>
    right.schema === "write" &&
    (isRead(right) || toText(right) === "execute write.append" ||
      (right.action === "insert" && !SEALED.includes(right.name))),
  query: (right) => right.schema === "read" && isRead(right),
  relay: (right) =>
    (right.schema !== "write" && isRead(right)) ||
    (right.schema === "relay" && right.action === "execute") ||
    toText(right).startsWith("execute read.refresh_") ||
    (RELAY_ACTIONS[`${right.schema}.${right.name}`] ?? []).includes(right.action),
};

/** The rights forbidden to each role, to keep commands and queries apart. */
export const MAY_NOT: Record<Role, Rule> = {
  command: (right) => right.schema !== "write" || (!isRead(right) && SEALED.includes(right.name)),
  query: (right) => right.schema !== "read" || !isRead(right),
  relay: (right) => right.schema === "write" && !isRead(right) && !NEEDS.relay(right),
};

/** Compares the rights of each login with the role's needs: a missing right is a problem, more a warning. */
export async function checkRights(logins: Login[]): Promise<Finding[]> {
  const roles = logins.flatMap((login) =>
    ROLES.filter((role) => role === login.role).map((role) => ({ role, login }))
  );
  const findings = await Promise.all(
    roles.map(async ({ role, login }) =>
      judge(role, login, await listRights(login.db), await listLost(login.db, role), await nameOf(login.db))
    ),
  );
  return findings.flat();
}

function judge(role: Role, login: Login, rights: Right[], lost: string[], database: string): Finding[] {
  const place = placeOf(login);
  const missing = rights.filter((right) => NEEDS[role](right) && !right.held).map(toText);
  const beyond = rights.filter((right) => MAY_NOT[role](right) && right.held).map(toText);
  const all = [...new Set([...missing, ...lost])];
  const findings: Finding[] = [];
  if (all.length > 0) {
    const advice = `Run "npm run migrate" as the owner, and log in as ${database}_${role}`;
    findings.push(problem(`${place} may not ${summarize(all)}`, advice));
  }
  if (beyond.length > 0) {
    const advice =
      `Log in as ${database}_${role}: as it is, the database does not keep commands and queries apart`;
    findings.push(warning(`${place} may more than it needs: ${summarize(beyond)}`, advice));
  }
  return findings.length > 0 ? findings : [ok(`The rights of ${place} are what it needs, and no more`)];
}

/** Returns the words of a right, for example `select write.events`. */
export function toText({ schema, name, action }: Right): string {
  return `${action} ${schema}.${name}`;
}

function summarize(rights: string[]): string {
  const [first, ...others] = rights;
  return others.length > 0 ? `${first}, and ${others.length} more` : first!;
}

/** Returns the rights given by migrations (`migrations.grant_to`) that the login does not hold. */
async function listLost(db: Database, role: Role): Promise<string[]> {
  const { rows: [found] } = await sql<{ readable: boolean }>`
    select coalesce(bool_or(has_schema_privilege(relnamespace, 'usage') and has_table_privilege(pg_class.oid, 'select')), false) as readable
    from pg_class where relname = 'role_grants' and relnamespace::regnamespace::text = 'migrations'`
    .execute(db);
  if (!found?.readable) return [];
  const { rows } = await sql<{ text: string }>`
    select format('%s %s', action, parts[3]) as text
    from migrations.role_grants
    cross join regexp_match(privileges, '^([a-z, ]+) on (table |function )?([\\w.]+)$') as words (parts)
    cross join unnest(string_to_array(parts[1], ', ')) as action
    cross join lateral (
      select has_table_privilege(class.oid, action) as held
      from pg_class class join pg_namespace namespace on namespace.oid = relnamespace
      where action <> 'execute' and nspname || '.' || relname = parts[3]
      union all
      select has_function_privilege(proc.oid, action)
      from pg_proc proc join pg_namespace namespace on namespace.oid = pronamespace
      where action = 'execute' and nspname || '.' || proname = parts[3]
    ) as rights
    where role = ${role} and not held
    order by 1`.execute(db);
  return rows.map(({ text }) => text);
}

async function listRights(db: Database): Promise<Right[]> {
  const { rows } = await sql<Right>`
    select nspname as schema, relname as name, action,
      has_schema_privilege(namespace.oid, 'usage') and has_table_privilege(class.oid, action) as held
    from pg_class class join pg_namespace namespace on namespace.oid = relnamespace
    cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate']) as action
    where nspname in ('write', 'relay', 'read') and (relkind = 'r' or (relkind in ('v', 'm') and action = 'select'))
    union all
    select nspname, proname, 'execute',
      has_schema_privilege(namespace.oid, 'usage') and has_function_privilege(proc.oid, 'execute')
    from pg_proc proc join pg_namespace namespace on namespace.oid = pronamespace
    where nspname in ('write', 'relay', 'read') and prorettype <> 'trigger'::regtype
    order by 1, 2, 3`.execute(db);
  return rows;
}
