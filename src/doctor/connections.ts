import { sql } from "kysely";
import type { Surroundings } from "../surroundings.ts";
import { poolerOf } from "../database/pooler.ts";
import { type Finding, type Login, ok, placeOf, problem, type Role, ROLES, warning } from "./finding.ts";

/** Returns the most connections of a process as each role; the relay's include a listening connection. */
export function mayOpen({ command, handlers, query, relay }: Surroundings["limits"]): Record<Role, number> {
  return { command: command.max + handlers.max, query: query.max, relay: relay.max + 1 };
}

interface Room {
  /** Connections of the whole server, for logins other than superusers. */
  server: number;
  /** Connections taken by other programs; running processes of this program do not count. */
  taken: number;
  /** The limits of the login and of the database; -1 without a limit. */
  login: number;
  database: number;
}

/** Checks that each server and login has room for the connections of a process, given by role in `most`. */
export async function checkConnections(logins: Login[], most: Record<Role, number>): Promise<Finding[]> {
  const all = ROLES.reduce((sum, role) => sum + most[role], 0);
  const findings = logins.map(async (login) => {
    const role = ROLES.find((role) => role === login.role);
    if (!role) return [];
    const place = placeOf(login);
    if (poolerOf(login.url) !== "none") return [ok(`A pooler keeps the connections of ${place}`)];
    return judge(place, await roomFor(login), most[role], all);
  });
  return (await Promise.all(findings)).flat();
}

function judge(
  place: string,
  { server, taken, login, database }: Room,
  mine: number,
  all: number,
): Finding[] {
  const findings: Finding[] = [];
  if (login >= 0 && login < mine) {
    const what = `The login of ${place} may have ${login} connections, and a process may open ${mine}`;
    findings.push(problem(what, `alter role … connection limit ${mine}, times the number of processes`));
  }
  const room = Math.min(server, database < 0 ? server : database);
  if (room < all) {
    const what = `The server of ${place} has room for ${room} connections, and a process may open ${all}`;
    findings.push(
      problem(what, "Raise max_connections (or the database's limit), or put a pooler in between"),
    );
  } else if (room - taken < all) {
    const what =
      `The server of ${place} has room for ${room} connections, ${taken} are taken, and a process may open ${all}`;
    findings.push(warning(what, "Raise max_connections, or put a pooler in between"));
  }
  return findings.length > 0 ? findings : [ok(`The server of ${place} has room for ${room} connections`)];
}

async function roomFor({ db }: Login): Promise<Room> {
  const { rows } = await sql<Room>`
    select
      current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
        - coalesce(current_setting('reserved_connections', true)::integer, 0) as server,
      (select count(*)::integer from pg_stat_activity
       where usesysid is not null and pid <> pg_backend_pid() and application_name not like 'cqrs%') as taken,
      (select rolconnlimit from pg_roles where rolname = current_user) as login,
      (select datconnlimit from pg_database where datname = current_database()) as database`.execute(db);
  return rows[0]!;
}
