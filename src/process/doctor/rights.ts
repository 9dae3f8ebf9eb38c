import { sql } from "kysely";
import type { Database } from "../../database/database.ts";
import { type Finding, type Login, ok, placeOf, problem, type Role, ROLES, warning } from "./finding.ts";

/** Something that a login may do or not: `select` on a table or view, or `execute` of a function. */
interface Right {
  schema: "write" | "relay" | "read";
  name: string;
  kind: "table" | "view" | "function";
  action: "select" | "insert" | "update" | "delete" | "truncate" | "execute";
  held: boolean;
}

type Rule = (right: Right) => boolean;

/** What only functions of the owner write to. */
const SEALED = ["events", "outbox", "idempotency_keys"];
const NEEDED_OF_RELAY = [
  "execute relay.number_events",
  "execute relay.refresh_keys",
  "execute relay.refresh_whole",
  "execute relay.notify",
  "select relay.checkpoints",
  "update relay.checkpoints",
  "insert relay.log",
  "select write.events",
  "delete write.outbox",
];

const isRead: Rule = ({ action }) => action === "select";

/** What each role must be allowed to do. The tables of the business are not listed: there may be others by now. */
const NEEDS: Record<Role, Rule> = {
  command: (right) =>
    right.schema === "write" &&
    (isRead(right) || right.name === "append" || (right.action === "insert" && !SEALED.includes(right.name))),
  query: (right) => right.schema === "read" && isRead(right),
  relay: (right) => NEEDED_OF_RELAY.includes(toText(right)) || (right.schema === "read" && isRead(right)),
};

/** What each role must not be allowed to do, if the database is to keep the two sides apart. */
const MAY_NOT: Record<Role, Rule> = {
  command: (right) => right.schema !== "write" || (!isRead(right) && SEALED.includes(right.name)),
  query: (right) => right.schema !== "read" || !isRead(right),
  relay: (right) =>
    right.schema === "write" && right.kind !== "function" && !isRead(right) &&
    toText(right) !== "delete write.outbox",
};

/** Whether each role may do what it has to, and no more: then the database keeps commands and queries apart. */
export async function checkRights(logins: Login[]): Promise<Finding[]> {
  const roles = logins.flatMap((login) =>
    ROLES.filter((role) => role === login.role).map((role) => ({ role, login }))
  );
  const findings = await Promise.all(
    roles.map(async ({ role, login }) => judge(role, login, await listRights(login.db))),
  );
  return findings.flat();
}

function judge(role: Role, login: Login, rights: Right[]): Finding[] {
  const place = placeOf(login);
  const missing = rights.filter((right) => NEEDS[role](right) && !right.held);
  const beyond = rights.filter((right) => MAY_NOT[role](right) && right.held);
  const findings: Finding[] = [];
  if (missing.length > 0) {
    const advice = `Run "npm run migrate" as the owner, and log in as the role that ends in _${role}`;
    findings.push(problem(`${place} may not ${summarize(missing)}`, advice));
  }
  if (beyond.length > 0) {
    const advice =
      `Log in as the role that ends in _${role}: as it is, the database does not keep commands and queries apart`;
    findings.push(warning(`${place} may more than it needs: ${summarize(beyond)}`, advice));
  }
  return findings.length > 0 ? findings : [ok(`The rights of ${place} are what it needs, and no more`)];
}

function toText({ schema, name, action }: Right): string {
  return `${action} ${schema}.${name}`;
}

function summarize(rights: Right[]): string {
  const [first, ...others] = rights.map(toText);
  return others.length > 0 ? `${first}, and ${others.length} more` : first!;
}

async function listRights(db: Database): Promise<Right[]> {
  const { rows } = await sql<Right>`
    select nspname as schema, relname as name, case relkind when 'r' then 'table' else 'view' end as kind, action,
      has_schema_privilege(namespace.oid, 'usage') and has_table_privilege(class.oid, action) as held
    from pg_class class join pg_namespace namespace on namespace.oid = relnamespace
    cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate']) as action
    where nspname in ('write', 'relay', 'read') and (relkind = 'r' or (relkind in ('v', 'm') and action = 'select'))
    union all
    select nspname, proname, 'function', 'execute',
      has_schema_privilege(namespace.oid, 'usage') and has_function_privilege(proc.oid, 'execute')
    from pg_proc proc join pg_namespace namespace on namespace.oid = pronamespace
    where nspname in ('write', 'relay', 'read') and prorettype <> 'trigger'::regtype
    order by 1, 2, 4`.execute(db);
  return rows;
}
