import { CompiledQuery } from "kysely";
import type { TransactionSql } from "postgres";
import { DatabaseUnavailable } from "../errors.ts";
import { type Client, send, withinDeadline } from "./send.ts";

export interface Transaction {
  run(query: CompiledQuery): ReturnType<typeof send>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/** The time limit for the begin and the end of a transaction, however long the statements may take. */
const TURN_MS_MAX = 15_000;

/** The reason that makes `sql.begin` roll back on a healthy connection. */
const ROLLBACK = new Error("Rolled back");

/**
 * Opens a transaction, to be ended with `commit` or `rollback`.
 *
 * `sql.begin` wants a callback that lasts as long as the transaction: the callback waits for the promise
 * `end`, settled by `commit` or `rollback`. Once `begin` has rejected, the connection may already serve
 * another caller: neither `tx` nor `end` is touched any more, and every call rejects with the reason of
 * `begin`.
 * @see docs/decisions/0001-own-dialect.md
 */
export async function openTransaction(client: Client, modes: string): Promise<Transaction> {
  let finish = () => {};
  let giveUp = (_reason: Error) => {};
  const end = new Promise<void>((resolve, reject) => {
    finish = resolve;
    giveUp = reject;
  });
  end.catch(() => {});
  let lost: Error | undefined;
  let done: Promise<void> | undefined;
  const begun = new Promise<TransactionSql>((resolve, reject) => {
    done = client.sql.begin(modes, (tx) => {
      resolve(tx);
      return end;
    }).then(() => {}, (reason) => {
      if (reason === ROLLBACK) return;
      lost = reason;
      reject(reason);
      throw reason;
    });
    done.catch(() => {});
  });
  const turnMs = Math.min(client.deadlineMs, TURN_MS_MAX);
  const tx = await withinDeadline(begun, turnMs, () => {
    client.onSilence?.();
    // Rolls the transaction back at once, should the transaction begin after the caller has gone.
    giveUp(ROLLBACK);
  });

  if (lost) throw lost;
  await expectBegun(tx, client).catch((error) => {
    giveUp(ROLLBACK);
    throw error;
  });

  async function run(query: CompiledQuery) {
    if (lost) throw lost;
    return await send(tx, query, client);
  }

  async function settle(how: () => void) {
    if (lost) throw lost;
    how();
    await withinDeadline(done!, turnMs, client.onSilence);
  }

  return { run, commit: () => settle(finish), rollback: () => settle(() => giveUp(ROLLBACK)) };
}

/**
 * Checks that the transaction has begun. After a loss of the connection during `begin` (see `send`), the
 * driver may report success, and each statement would be committed alone. Only in a transaction do the two
 * times differ.
 */
async function expectBegun(tx: TransactionSql, client: Client): Promise<void> {
  const [row] = await send(tx, BEGUN, client);
  if (row?.begun !== true) {
    throw new DatabaseUnavailable("Cannot begin a transaction: the connection was lost");
  }
}

const BEGUN = CompiledQuery.raw("select transaction_timestamp() < statement_timestamp() as begun");
