import { sql } from "kysely";
import type { Database } from "./database.ts";
import { SESSION_SETTINGS } from "./session-settings.ts";

/** The settings without which answers would be wrong or nothing would work, and their good values. */
const NEEDED: Record<string, RegExp> = {
  DateStyle: /^ISO\b/,
  bytea_output: /^hex$/,
  extra_float_digits: /^[123]$/,
  default_transaction_isolation: /^read committed$/,
  standard_conforming_strings: /^on$/,
  array_nulls: /^on$/,
  exit_on_error: /^off$/,
  gin_fuzzy_search_limit: /^0$/,
  // Beyond the program's reach: only a superuser, or a new database, changes these.
  server_encoding: /^UTF8$/,
  client_encoding: /^UTF8$/,
  session_replication_role: /^origin$/,
};

/** A setting of a session with another value than expected. */
export interface Deviation {
  name: string;
  value: string;
  /** True if the program would answer wrongly or not work; false if only statements of one's own may. */
  harms: boolean;
}

/** Compares the settings of a session with the expected settings. Returns the others, by name. */
export async function listDeviations(db: Database): Promise<Deviation[]> {
  const ours: Record<string, string> = SESSION_SETTINGS;
  const names = [...new Set([...Object.keys(ours), ...Object.keys(NEEDED)])];
  const { rows } = await sql<{ name: string; value: string }>`
    select name, current_setting(name) as value from unnest(${names}::text[]) as name order by name`
    .execute(db);
  return rows.map(({ name, value }) => ({ name, value, harms: NEEDED[name]?.test(value) === false }))
    .filter(({ name, value, harms }) => harms || (name in ours && value !== ours[name]));
}

/** Returns the remedy for a deviation. */
export function remedyFor({ name }: Deviation): string {
  if (name === "server_encoding") return "use a database with the encoding UTF8";
  if (!(name in SESSION_SETTINGS)) return `reset ${name} for the login, the database or the server`;
  return 'run "npm run migrate" with the same URLs, and let the pooler connect anew';
}

/** @throws {Error} If the database cannot hold every text, or `lower` and `ilike` would not know letters. */
export async function expectUtf8(db: Database): Promise<void> {
  const { rows } = await sql<{ encoding: string; name: string }>`
    select current_setting('server_encoding') as encoding, current_database() as name`.execute(db);
  const { encoding, name } = rows[0]!;
  if (encoding === "UTF8") return;
  throw new Error(
    `Cannot migrate: the encoding of the database ${name} is ${encoding}, and not every text fits; make another by ` +
      `create database … template template0 encoding 'UTF8' locale 'C.UTF-8'`,
  );
}
