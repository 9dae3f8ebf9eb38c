import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import { isDatabaseError } from "../errors.ts";
import { nameOf, refuseDatabaseName } from "../migrate/names.ts";
import { type Finding, type Login, ok, placeOf, problem, ROLES, warning } from "./finding.ts";

/** undefined_table, insufficient_privilege: another check tells. */
const NOT_YET = ["42P01", "42501"];

/** Checks that a migrate could set everything again, and that a copy is no longer open to the former logins. */
export async function checkOwners(logins: Login[]): Promise<Finding[]> {
  const login = logins.find(({ role }) => ROLES.some((own) => own === role));
  if (!login) return [];
  const place = placeOf(login);
  const database = await nameOf(login.db);
  const findings = [
    ...judgeName(database),
    ...await findForeign(login.db),
    ...await findFormer(login.db, place),
  ];
  return findings.length > 0 ? findings : [ok(`The schemas of ${place} belong to a single owner`)];
}

function judgeName(database: string): Finding[] {
  try {
    refuseDatabaseName(database);
    return [];
  } catch (error) {
    return [problem((error as Error).message, "Rename the database, and migrate")];
  }
}

/** Finds what does not belong to the owner of schema migrations: a grant by that owner does nothing. */
async function findForeign(db: Database): Promise<Finding[]> {
  const { rows } = await sql<{ name: string; kind: string; owner: string; other: string }>`
    with mine as (
      select oid, nspname, nspowner from pg_namespace where nspname in ('migrations', 'write', 'relay', 'read')
    ),
    objects (kind, name, owner) as (
      select 'schema', quote_ident(nspname), nspowner from mine
      union all
      select case relkind when 'r' then 'table' when 'v' then 'view' else 'materialized view' end,
        format('%I.%I', nspname, relname), relowner
      from pg_class join mine on mine.oid = relnamespace where relkind in ('r', 'v', 'm')
    )
    select kind, name, pg_get_userbyid(owner) as owner, pg_get_userbyid(nspowner) as other
    from objects, mine where nspname = 'migrations' and owner <> nspowner order by kind, name limit 10`
    .execute(db);
  return rows.map(({ kind, name, owner, other }) =>
    problem(
      `The ${kind} ${name} belongs to "${owner}", and the schema migrations to "${other}": migrate cannot give rights`,
      `Have an admin run: alter ${kind} ${name} owner to "${other}"`,
    )
  );
}

/** Finds the logins of the database that the current database is a copy of, or of its former name. */
async function findFormer(db: Database, place: string): Promise<Finding[]> {
  try {
    const { rows } = await sql<{ name: string }>`
      select name from migrations.logins join pg_roles on rolname = name
      where name not in (select current_database() || '_' || role from unnest(${[...ROLES]}::text[]) as role)
      order by name`.execute(db);
    if (rows.length === 0) return [];
    const names = rows.map(({ name }) => name).join(", ");
    return [
      warning(
        `The database of ${place} is open to the logins of another one: ${names}`,
        'Run "npm run migrate"',
      ),
    ];
  } catch (error) {
    if (isDatabaseError(error) && NOT_YET.includes(error.code)) return [];
    throw error;
  }
}
