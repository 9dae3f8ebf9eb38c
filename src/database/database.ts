import { Kysely } from "kysely";
import postgres from "postgres";
import { postgresDialect } from "./dialect.ts";

/**
 * The tables. Every module that owns some adds them here (`declare module`), next to the code that uses them.
 */
// deno-lint-ignore no-empty-interface
export interface Tables {}

export type Database = Kysely<Tables>;

export interface DatabaseOptions {
  /** Connections at most. */
  max: number;
  prepare?: boolean;
  /** How long a statement may take. */
  deadlineMs?: number;
  applicationName?: string;
}

/** Opens a pool; connections are made when they are needed. End it with `destroy()`. */
export function openDatabase(url: string, options: DatabaseOptions): Database {
  const { max, prepare = true, deadlineMs = 10_000, applicationName = "cqrs" } = options;
  const sql = postgres(url, {
    max,
    prepare,
    // Saves a round trip on every new connection; it is only needed for arrays of user-defined types.
    fetch_types: false,
    connect_timeout: 5,
    idle_timeout: 60,
    backoff: reconnectSeconds,
    ...SHORT_QUEUES,
    connection: { application_name: applicationName, statement_timeout: deadlineMs },
    types: { int8: { to: 20, from: [20], serialize: String, parse: toSafeInteger } },
    onnotice: () => {},
  });
  return new Kysely<Tables>({
    dialect: postgresDialect({ sql, prepare, deadlineMs: deadlineMs + GRACE_MS }),
  });
}

/**
 * Without it, a hundred queries may queue behind a slow one while other connections become free. The driver knows this
 * option, its types do not.
 */
const SHORT_QUEUES = { max_pipeline: 1 };

/**
 * How long a connection that was refused waits before it tries again. The driver counts the refusals of the whole pool
 * as one row of them: by its own rule, a pool of twenty waits up to 20 seconds after a restart that took half a one.
 */
function reconnectSeconds(): number {
  return 0.1 + 0.2 * Math.random();
}

/** How much longer the client waits than the server works, so that the server's answer is heard. */
const GRACE_MS = 1_000;

/** PostgreSQL's bigint as a number. */
function toSafeInteger(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw new RangeError(`Cannot hold in a number: ${text}`);
  return number;
}
