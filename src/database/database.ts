import { Kysely } from "kysely";
import postgres from "postgres";
import { postgresDialect } from "./dialect.ts";
import { createPool } from "./pool.ts";
import { poolerOf, toDriverUrl } from "./pooler.ts";
import { isStatementRunning } from "./running.ts";
import { valueTypes } from "./values.ts";

/**
 * The tables. Every module that owns some adds them here (`declare module`), next to the code that uses them.
 */
// deno-lint-ignore no-empty-interface
export interface Tables {}

export type Database = Kysely<Tables>;

export interface DatabaseOptions {
  /** Connections at most. */
  max: number;
  /** Whether statements are prepared; if left out, wherever the URL's pooler allows it. */
  prepare?: boolean;
  /** How long a statement may take. */
  deadlineMs?: number;
  applicationName?: string;
  /** How long a connection is kept that nobody uses. */
  idleSeconds?: number;
  /** How many statements may wait for a connection; more are refused at once. */
  waitingMax?: number;
}

/** Opens a pool; connections are made when they are needed. End it with `destroy()`. */
export function openDatabase(url: string, options: DatabaseOptions): Database {
  const pooler = poolerOf(url);
  const { max, prepare = pooler !== "transaction", deadlineMs = 10_000 } = options;
  const { applicationName = "cqrs", idleSeconds = 60, waitingMax = 1_000 } = options;
  // A pooler refuses it at the start, and between two transactions it would be lost: there, that of the login counts.
  const statementTimeout = pooler === "none" ? { statement_timeout: deadlineMs } : {};
  const connect = () =>
    postgres(toDriverUrl(url), {
      max,
      prepare,
      // Saves a round trip on every new connection; it is only needed for arrays of user-defined types.
      fetch_types: false,
      connect_timeout: CONNECT_SECONDS_MAX,
      idle_timeout: idleSeconds,
      keep_alive: KEEP_ALIVE_SECONDS,
      backoff: (failures: number) => Math.random() * Math.min(CONNECT_AGAIN_SECONDS_MAX, 2 ** failures / 100),
      ...SHORT_QUEUES,
      connection: { application_name: applicationName, ...statementTimeout },
      types: valueTypes,
      onnotice: () => {},
    });
  const isAtWork = (text: string) => isStatementRunning(url, text);
  return new Kysely<Tables>({
    dialect: postgresDialect(
      createPool(connect, { max, waitingMax, prepare, deadlineMs: deadlineMs + GRACE_MS, isAtWork }),
    ),
  });
}

/**
 * Without it, a hundred queries may queue behind a slow one while other connections become free. The driver knows this
 * option, its types do not.
 */
const SHORT_QUEUES = { max_pipeline: 1 };

/** How much longer the client waits than the server works, so that the server's answer is heard. */
const GRACE_MS = 1_000;

/** Together less than the shortest deadline, so that a server that cannot be reached is told from a silent one. */
const CONNECT_SECONDS_MAX = 5;
/**
 * The driver's own pause goes up to 20 seconds, which all who come meanwhile would wait; and it counts the refusals of the
 * whole pool as one row of them.
 */
const CONNECT_AGAIN_SECONDS_MAX = 0.5;

/** After how long without a word the network is asked whether the other side is still there. */
const KEEP_ALIVE_SECONDS = 10;
