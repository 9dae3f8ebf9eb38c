import type { CompiledQuery } from "kysely";
import type { ISql, Sql } from "postgres";
import { DatabaseUnavailable, isDatabaseError } from "../errors.ts";
import { sleep } from "../sleep.ts";

export interface Client {
  sql: Sql;
  /** Whether statements are prepared: false behind a transaction pooler that cannot. */
  prepare: boolean;
  /** How long a statement may take. */
  deadlineMs: number;
  /** Told that a statement was not answered in time: its connection is of no more use. */
  onSilence?: () => void;
  /** Whether the server works on such a statement. */
  isAtWork?: (text: string) => Promise<boolean>;
}

type Sender = Pick<ISql, "unsafe">;
type Pending = ReturnType<Sender["unsafe"]>;

/** From which deadline on a statement may take so long that it is asked, and how often, whether the server works on it. */
const LONG_MS = 60_000;
const ASK_EVERY_MS = 5_000;
/** How long the answer to a statement that has just ended may be on its way. */
const ANSWER_MS = 1_000;
const TRIES_MAX = 3;
/** What the driver has not noticed of a lost connection in the same turn, it has by then. */
export const SETTLE_MS = 20;

/** A statement was not sent, for the reason in `cause`: it certainly had no effect. */
class Unsent extends Error {}

/**
 * Sends one statement. The server has a deadline of its own (`statement_timeout`); this one is for a server that
 * cannot be heard, and for a statement that still waits for a connection: that one is not sent any more.
 *
 * The driver gives the first statement on a new connection what the server said when it ended the one before,
 * and does not send it: then it is sent again.
 * @throws {DatabaseUnavailable} If the deadline has passed: the statement may or may not have taken effect.
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
  // postgres.js types parameters more narrowly than what it takes.
  const pending = inOneFlight(sql.unsafe(query.sql, parameters as never[], { prepare }));
  const isUnsent = () => (pending as unknown as { state: unknown }).state === null;
  // Only where it may be needed: to make one takes longer than to send a short statement.
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
      // Cancelling what was sent would open a connection whose errors postgres.js lets nobody catch.
      pending.cancel();
      throw new Unsent("Cannot send a statement", { cause: error });
    }
    throw error;
  } finally {
    done?.abort();
  }
}

/**
 * The driver asks the server for the types of the parameters of a statement that it has not prepared on a connection,
 * and only then sends their values: a round trip more. They are written without that, see `values.ts`.
 * @see docs/decisions/0011-one-flight.md
 */
function inOneFlight(pending: Pending): Pending {
  return Object.defineProperty(pending, "describeFirst", { get: () => false, set() {} });
}

/**
 * A statement that the driver writes to a connection while that is being reset is not sent. When the connection has been
 * made anew, the driver resolves it: with nothing, or with what is left of the one before.
 */
function isAnswerTo({ sql }: CompiledQuery, rows: Awaited<Pending>): boolean {
  // Several statements in one text have no common answer.
  if (rows.command === undefined) return true;
  return rows.command !== null && rows.statement.string === sql;
}

/** Ends only by an error: when the server has nothing to do with a statement whose answer has not come. */
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

/** @throws {DatabaseUnavailable} If the promise has not settled in time. */
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

/** An array as PostgreSQL writes it: the driver only knows how after asking the server for its types. */
function toArrayLiteral(values: unknown[]): string {
  const literals = values.map((value) =>
    value === null ? "NULL" : `"${String(value).replace(/["\\]/g, "\\$&")}"`
  );
  return `{${literals.join(",")}}`;
}
