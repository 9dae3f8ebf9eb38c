import type { CompiledQuery } from "kysely";
import type { ISql, Sql } from "postgres";
import { DatabaseUnavailable } from "../errors.ts";

export interface Client {
  sql: Sql;
  /** Whether statements are prepared: false behind a transaction pooler that cannot. */
  prepare: boolean;
  /** How long a statement may take, waiting for a connection included. */
  deadlineMs: number;
}

type Sender = Pick<ISql, "unsafe">;

/**
 * Sends one statement. The server has a deadline of its own (`statement_timeout`); this one is for a server that
 * cannot be heard, and for a statement that still waits for a connection: that one is not sent any more.
 * @throws {DatabaseUnavailable} If the deadline has passed: the statement may or may not have taken effect.
 */
export async function send(sql: Sender, query: CompiledQuery, { prepare, deadlineMs }: Omit<Client, "sql">) {
  const parameters = query.parameters.map((value) => Array.isArray(value) ? toArrayLiteral(value) : value);
  // postgres.js types parameters more narrowly than what it takes.
  const pending = sql.unsafe(query.sql, parameters as never[], { prepare });
  return await withinDeadline(pending, deadlineMs, () => {
    // Cancelling what was sent opens a connection whose errors postgres.js lets nobody catch.
    if ((pending as unknown as { state: unknown }).state === null) pending.cancel();
  });
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
