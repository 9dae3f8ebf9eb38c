import { sql } from "kysely";
import { type Database, openDatabase } from "../database/database.ts";
import { type Pooler, poolerOf } from "../database/pooler.ts";
import { isDatabaseError } from "../errors.ts";
import { type Finding, type Login, ok, placeOf, problem, warning } from "./finding.ts";

/** invalid_sql_statement_name, duplicate_prepared_statement, in_failed_sql_transaction. */
const UNPREPARED = ["26000", "42P05", "25P02"];

/** The most transactions to open to meet a session again: a pooler may have several free sessions. */
const SESSIONS_MAX = 3;

const FIX = "Set DATABASE_POOLER=transaction";

/** Checks that prepared statements, if used, work with the connection or pooler of each login. */
export async function checkSessions(logins: Login[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  // Login after login: connections may be few.
  for (const login of logins) findings.push(...await check(login));
  return findings;
}

async function check(login: Login): Promise<Finding[]> {
  const pooler = poolerOf(login.url);
  // The roles' URLs may be pooled, the direct URL may not: the check of notifications shows a pooler.
  if (login.role === "direct" && pooler === "none") return [];
  const place = placeOf(login);
  try {
    return [judge(place, pooler, await changesSession(login.url))];
  } catch (error) {
    if (!isDatabaseError(error) || !UNPREPARED.includes(error.code)) throw error;
    return [problem(`Statements fail that ${place} has prepared: ${(error as Error).message}`, FIX)];
  }
}

function judge(place: string, pooler: Pooler, changes: boolean): Finding {
  if (pooler === "none" && changes) {
    return warning(`A pooler gives ${place} one session after another, and no setting says so`, FIX);
  }
  const how = pooler === "transaction" ? "are not prepared" : "are prepared";
  return ok(`Statements of ${place} ${how}, which works${changes ? " from one session to the next" : ""}`);
}

/**
 * Sends a statement, occupies the statement's session, and sends the statement again. Returns true if another
 * session answered, as behind a transaction pooler. The repetition is in a transaction: outside a
 * transaction, the driver would prepare the statement again.
 * @throws {Error} If the statement was prepared in the first session only.
 */
async function changesSession(url: string): Promise<boolean> {
  const [one, others] = [openDatabase(url, { max: 1 }), openDatabase(url, { max: SESSIONS_MAX })];
  try {
    const before = await sessionOf(one);
    return await whileTaken(
      others,
      before,
      SESSIONS_MAX,
      async () => await one.transaction().execute(sessionOf) !== before,
    );
  } finally {
    await Promise.all([one.destroy(), others.destroy()]);
  }
}

/** Does the work while a transaction occupies the session, or after `tries` transactions in others. */
function whileTaken<T>(db: Database, session: number, tries: number, work: () => Promise<T>): Promise<T> {
  return db.transaction().execute(async (trx) =>
    await sessionOf(trx) === session || tries === 1
      ? await work()
      : await whileTaken(db, session, tries - 1, work)
  );
}

async function sessionOf(db: Database): Promise<number> {
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid where ${1}::integer = 1`.execute(
    db,
  );
  return rows[0]!.pid;
}
