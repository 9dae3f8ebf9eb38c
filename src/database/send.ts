import type { CompiledQuery } from "kysely";
import type { ISql, Sql } from "postgres";
import { DatabaseUnavailable, isDatabaseError } from "../errors.ts";
import { sleep } from "../sleep.ts";

export interface Client {
  sql: Sql;
  /** True to prepare statements; false behind a transaction pooler that cannot keep prepared statements. */
  prepare: boolean;
  /** The time limit of a statement. */
  deadlineMs: number;
  /** Called after a statement without an answer in time: the connection is of no more use. */
  onSilence?: () => void;
  /** Returns true if the server works on a statement with the given text. */
  isAtWork?: (text: string) => Promise<boolean>;
}

type Sender = Pick<ISql, "unsafe">;
type Pending = ReturnType<Sender["unsafe"]>;

/** Statements with a longer deadline may be slow: the server is asked regularly if the statement runs. */
const LONG_MS = 60_000;
const ASK_EVERY_MS = 5_000;
/** The time for the answer of an ended statement to arrive. */
const ANSWER_MS = 1_000;
const TRIES_MAX = 3;
/** The time for the driver to notice a lost connection: in the same turn, the driver may not know yet. */
export const SETTLE_MS = 20;

/** The statement was not sent, for the reason in `cause`, and certainly had no effect. */
class Unsent extends Error {}

/**
 * Sends a statement. The deadline is for a server that cannot be heard, and for a statement still waiting for
 * a connection: after the deadline, a waiting statement is not sent. The server has a limit of its own
 * (`statement_timeout`), set by `openDatabase` on direct connections and by the login behind a pooler.
 *
 * The driver may reject the first statement on a new connection, unsent, with the error that ended the
 * connection before: an unsent statement is sent again.
 * @throws {DatabaseUnavailable} If the deadline has passed or the connection was lost: the statement may or
 * may not have taken effect.
 */
export async function send(sql: Sender, query: CompiledQuery, client: Omit<Client, "sql">) {
  for (let tries = 1;; tries++) {
    try {
      return await sendOnce(sql, query, client);
    } catch (error) {
      if (!(error instanceof Unsent)) throw error;
      if (tries === TRIES_MAX || !isDatabaseError(error.cause)) throw error.cause;
      await sleep(SETTLE_MS);
    }
  }
}

async function sendOnce(sql: Sender, query: CompiledQuery, client: Omit<Client, "sql">) {
  const { prepare, deadlineMs, isAtWork } = client;
  const parameters = query.parameters.map((value) => Array.isArray(value) ? toArrayLiteral(value) : value);
  // postgres.js takes more kinds of parameters than the types say.
  const pending = inOneFlight(sql.unsafe(query.sql, parameters as never[], { prepare }));
  const isUnsent = () => (pending as unknown as { state: unknown }).state === null;
  // Only for long deadlines: making an AbortController takes longer than sending a short statement.
  const done = isAtWork && deadlineMs > LONG_MS ? new AbortController() : undefined;
  try {
    const answer = isAtWork && done
      ? Promise.race([pending, untilLost(() => isAtWork(query.sql), done.signal)])
      : pending;
    const rows = await withinDeadline(answer, deadlineMs);
    if (isAnswerTo(query, rows)) return rows;
    throw new DatabaseUnavailable("Cannot hear the database: the connection was lost");
  } catch (error) {
    if (error instanceof DatabaseUnavailable) client.onSilence?.();
    if (isUnsent()) {
      // Never for a sent statement: to cancel, postgres.js opens a connection whose errors nobody can catch.
      pending.cancel();
      throw new Unsent("Cannot send a statement", { cause: error });
    }
    throw error;
  } finally {
    done?.abort();
  }
}

/**
 * Saves a round trip. Before sending the values of an unprepared statement, the driver asks the server for
 * the types of the parameters. `values.ts` writes values without the types.
 * @see docs/decisions/0011-one-flight.md
 */
function inOneFlight(pending: Pending): Pending {
  return Object.defineProperty(pending, "describeFirst", { get: () => false, set() {} });
}

/**
 * Returns false for a made-up answer. A statement written to a connection during a reset is not sent. Once
 * the connection is made anew, the driver resolves the statement with nothing, or with the rest of the
 * statement before.
 */
function isAnswerTo({ sql }: CompiledQuery, rows: Awaited<Pending>): boolean {
  // A text of several statements has no common answer.
  if (rows.command === undefined) return true;
  return rows.command !== null && rows.statement.string === sql;
}

/** Ends only by an error: when the server no longer works on a statement whose answer has not come. */
async function untilLost(isAtWork: () => Promise<boolean>, done: AbortSignal): Promise<never> {
  while (!done.aborted) {
    await sleep(ASK_EVERY_MS, done);
    if (done.aborted || await isAtWork()) continue;
    await sleep(ANSWER_MS, done);
    if (!done.aborted) {
      throw new DatabaseUnavailable("Cannot hear the database: the answer to a statement was lost");
    }
  }
  return await new Promise(() => {});
}

/** Returns the promise's result. @throws {DatabaseUnavailable} If the promise has not settled in time. */
export async function withinDeadline<T>(
  promise: PromiseLike<T>,
  deadlineMs: number,
  onLate = () => {},
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new DatabaseUnavailable(`Cannot wait longer for the database: ${deadlineMs} ms have passed`));
      onLate();
    }, deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Returns PostgreSQL's literal for an array: without the server's types, the driver cannot write arrays. */
function toArrayLiteral(values: unknown[]): string {
  const literals = values.map((value) =>
    value === null ? "NULL" : `"${String(value).replace(/["\\]/g, "\\$&")}"`
  );
  return `{${literals.join(",")}}`;
}
