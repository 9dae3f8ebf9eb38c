import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import { toDriverOptions } from "../database/driver.ts";
import { poolerOf } from "../database/pooler.ts";
import { type Finding, type Login, ok, placeOf, warning } from "./finding.ts";

interface Way {
  /** True if the server is on the same machine, or at the end of a tunnel on the server's machine. */
  is_local: boolean;
  is_encrypted: boolean;
  /** True if the server takes TLS connections. */
  could_be: boolean;
}

const VERIFY =
  "Add sslmode=verify-full to the URL, and sslrootcert with the certificate of the server's authority";

/** Warns of connections over a network that others could read, or answer in the server's place. */
export async function checkTls(logins: Login[]): Promise<Finding[]> {
  return await Promise.all(logins.map(async (login) => judge(login, await wayOf(login.db))));
}

function judge(login: Login, { is_local, is_encrypted, could_be }: Way): Finding {
  const place = placeOf(login);
  const { ssl } = toDriverOptions(login.url);
  // The server sees the pooler's own connection, not the program's.
  const isPooled = poolerOf(login.url) !== "none";
  if (is_local && !isPooled) return ok(`The connection of ${place} stays on the server's machine`);
  if (!isPooled && could_be && !is_encrypted) {
    return warning(`The connection of ${place} is not encrypted, though the server takes TLS`, VERIFY);
  }
  const isChecked = typeof ssl === "object" && "rejectUnauthorized" in ssl && ssl.rejectUnauthorized === true;
  if (ssl && !isChecked) {
    return warning(`The connection of ${place} does not check whether the server is the right one`, VERIFY);
  }
  return ok(
    `The connection of ${place} is ${ssl ? "encrypted, and the server checked" : "as the server offers"}`,
  );
}

async function wayOf(db: Database): Promise<Way> {
  const { rows } = await sql<Way>`
    select
      coalesce(inet_client_addr() = inet_server_addr(), true) as is_local,
      current_setting('ssl') = 'on' as could_be,
      coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false) as is_encrypted`.execute(
    db,
  );
  return rows[0]!;
}
