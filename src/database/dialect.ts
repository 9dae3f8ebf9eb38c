import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  type TransactionSettings,
} from "kysely";
import type { Pool } from "./pool.ts";
import type { send } from "./send.ts";
import type { Transaction } from "./transaction.ts";

/**
 * Runs Kysely on postgres.js. An ordinary query goes to any free connection. A transaction holds a single
 * connection from begin to end, and rejects as a whole when the connection dies.
 * @see docs/decisions/0001-own-dialect.md
 */
export function postgresDialect(pool: Pool): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new PostgresDriver(pool),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

class PostgresDriver implements Driver {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async init() {}

  acquireConnection() {
    return Promise.resolve(new PostgresConnection(this.#pool));
  }

  beginTransaction(connection: PostgresConnection, settings: TransactionSettings) {
    return connection.begin(settings);
  }

  commitTransaction(connection: PostgresConnection) {
    return connection.commit();
  }

  rollbackTransaction(connection: PostgresConnection) {
    return connection.rollback();
  }

  async releaseConnection() {}

  /** Lets running queries finish, for two seconds at most. */
  destroy() {
    return this.#pool.end();
  }
}

/** A single query, or a transaction from begin to end. */
class PostgresConnection implements DatabaseConnection {
  readonly #pool: Pool;
  #transaction: Transaction | undefined;
  #used = false;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async begin({ isolationLevel, accessMode }: TransactionSettings) {
    const modes = [isolationLevel && `isolation level ${isolationLevel}`, accessMode].filter(Boolean);
    this.#transaction = await this.#pool.begin(modes.join(" "));
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#transaction) return toResult(await this.#transaction.run(query));
    // db.connection() promises the same connection for each query: only a pool of one can keep the promise.
    if (this.#used && this.#pool.max !== 1) {
      throw new Error("Cannot run a second query outside a transaction: the connection is not pinned");
    }
    this.#used = true;
    return toResult(await this.#pool.run(query));
  }

  async commit() {
    await this.#transaction?.commit();
  }

  async rollback() {
    await this.#transaction?.rollback();
  }

  // deno-lint-ignore require-yield
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("Cannot stream rows: ask for bounded pages instead");
  }
}

/** A text of several statements has several answers, and no number of rows. */
function toResult<R>(rows: Awaited<ReturnType<typeof send>>): QueryResult<R> {
  const result = { rows: rows as unknown as R[] };
  return rows.count == null || rows.command === "SELECT"
    ? result
    : { ...result, numAffectedRows: BigInt(rows.count) };
}
