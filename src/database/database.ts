import { Kysely } from "kysely";
import { postgresDialect } from "./dialect.ts";
import { openDriver } from "./driver.ts";
import { createPool } from "./pool.ts";
import { poolerOf } from "./pooler.ts";
import { isStatementRunning } from "./running.ts";
import { valueTypes } from "./values.ts";

/**
 * The tables. Each module declares its own tables here (`declare module`), next to the code that uses them.
 */
// deno-lint-ignore no-empty-interface
export interface Tables {}

export type Database = Kysely<Tables>;

export interface DatabaseOptions {
  /** Connections at most. */
  max: number;
  /** True to prepare statements. Default: true unless the URL's pooler cannot keep prepared statements. */
  prepare?: boolean;
  /** The time limit of a statement. Default: 10 s. Behind a pooler, the server has the login's limit. */
  deadlineMs?: number;
  applicationName?: string;
  /** The time until an unused connection is closed. */
  idleSeconds?: number;
  /** Called with each warning of the server. */
  onWarning?: (warning: { code: string; message: string }) => void;
  /** The most statements that may wait for a connection; further statements are refused at once. */
  waitingMax?: number;
}

/** Opens a pool. Connections are made on demand. End the pool with `destroy()`. */
export function openDatabase(url: string, options: DatabaseOptions): Database {
  const { max, prepare = poolerOf(url) !== "transaction", deadlineMs = 10_000 } = options;
  const { applicationName = "cqrs", idleSeconds = 60, waitingMax = 1_000 } = options;
  const connect = () =>
    openDriver(url, {
      max,
      prepare,
      connect_timeout: CONNECT_SECONDS_MAX,
      idle_timeout: idleSeconds,
      keep_alive: KEEP_ALIVE_SECONDS,
      backoff: (failures: number) => Math.random() * Math.min(CONNECT_AGAIN_SECONDS_MAX, 2 ** failures / 100),
      ...SHORT_QUEUES,
      // Behind a pooler, the login has a limit of its own (migrations/roles.sql).
      connection: { application_name: applicationName, statement_timeout: deadlineMs },
      types: valueTypes,
      onnotice: ({ severity, code = "", message = "" }) => {
        if (severity === "WARNING") options.onWarning?.({ code, message });
      },
    });
  const isAtWork = (text: string) => isStatementRunning(url, text);
  return new Kysely<Tables>({
    dialect: postgresDialect(
      createPool(connect, { max, waitingMax, prepare, deadlineMs: deadlineMs + GRACE_MS, isAtWork }),
    ),
  });
}

/**
 * By default, a hundred queries may queue behind a slow query while other connections become free. The
 * driver's own types lack the option.
 */
const SHORT_QUEUES = { max_pipeline: 1 };

/** The client's extra time: on a direct connection, the server gives up first, and the client hears of it. */
const GRACE_MS = 1_000;

/** With the pause below, less than a command's deadline: an unreachable server must not look silent. */
const CONNECT_SECONDS_MAX = 5;
/**
 * The driver's own pause goes up to 20 seconds, for every statement that comes meanwhile, and grows with each
 * refusal in the whole pool.
 */
const CONNECT_AGAIN_SECONDS_MAX = 0.5;

/** The silence after which the network probes for the other side of a connection. */
const KEEP_ALIVE_SECONDS = 10;
