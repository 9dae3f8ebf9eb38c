import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import { isDatabaseError } from "../errors.ts";
import { LOCK_TIMEOUT_MS } from "./lock.ts";
import type { Warning } from "./migrations.ts";
import { checksumOf, type Pending } from "./pending.ts";

/** A comment before the text: PL/pgSQL refuses `select … into` at the beginning. */
const BEFORE = "--\n";

/** privilege_not_granted, privilege_not_revoked: PostgreSQL warns and does nothing. */
const NOTHING_DONE = ["01007", "01006"];

/**
 * Runs the text of a file inside the current transaction. Any number of statements may return rows. PL/pgSQL
 * refuses to begin or end a transaction, however the words are written.
 * @throws {Error} If a statement fails, or a grant does nothing.
 */
export async function runInside(
  trx: Database,
  name: string,
  text: string,
  takeWarnings: () => Warning[],
): Promise<void> {
  const checksum = await checksumOf(text);
  const [outer, inner] = [`$o${checksum}$`, `$i${checksum}$`];
  await sql`set local lock_timeout = ${sql.lit(LOCK_TIMEOUT_MS)}`.execute(trx);
  await sql.raw(`do ${outer} begin execute ${inner}${BEFORE}${text}\n${inner}; end ${outer}`).execute(trx)
    .catch(explain(name));
  refuseWarnings(name, takeWarnings());
}

/**
 * Runs the only statement of a file outside any transaction. Statements that PostgreSQL runs beside others
 * (`concurrently`) wait for as long as need be: nobody waits behind.
 */
export async function runAlone(
  owner: Database,
  { name, text }: Pending,
  takeWarnings: () => Warning[],
): Promise<void> {
  const lockTimeoutMs = /\bconcurrently\b|\bvacuum\b/i.test(text) ? 0 : LOCK_TIMEOUT_MS;
  await sql`set lock_timeout = ${sql.lit(lockTimeoutMs)}`.execute(owner);
  await sql.raw(text).execute(owner).catch(explain(name));
  refuseWarnings(name, takeWarnings());
}

function refuseWarnings(name: string, warnings: Warning[]): void {
  const refused = warnings.find(({ code }) => NOTHING_DONE.includes(code));
  if (refused) {
    throw new Error(
      `Cannot migrate ${name}: ${refused.message}; migrate as the owner of the schemas and of all inside`,
    );
  }
}

/** Returns a function that names a migration in an error. PostgreSQL's detail and hint are kept. */
export function explain(name: string) {
  return (error: unknown): never => {
    if (!(error instanceof Error)) throw new Error(`Cannot migrate ${name}: ${error}`);
    if (error.message.startsWith("Cannot migrate")) throw error;
    throw new Error(`Cannot migrate ${name}: ${reasonOf(error)}`, { cause: error });
  };
}

function reasonOf(error: Error): string {
  if (!isDatabaseError(error)) return error.message;
  const fields = error as typeof error & Record<string, string | undefined>;
  const { code, message, detail, hint, routine } = fields;
  if (code === "0A000" && routine === "exec_stmt_dynexecute") {
    return "a migration may not begin or end a transaction: leave out begin, commit and the like";
  }
  if (code === "25001") return `${message}: let the file begin with "-- no-transaction"`;
  if (code === "55P03") return "others hold a lock on a table for longer than a migration may wait";
  return [message, detail, hint, lineOf(fields)].filter(Boolean).join("; ");
}

/** Returns the line of a mistake in a file, where PostgreSQL knows it. */
function lineOf({ internal_query, internal_position }: Record<string, string | undefined>) {
  if (!internal_query?.startsWith(BEFORE)) return undefined;
  const lines = internal_query.slice(BEFORE.length, Number(internal_position)).split("\n");
  return `line ${lines.length}`;
}
