import { CompiledQuery } from "kysely";
import type { TransactionSql } from "postgres";
import { DatabaseUnavailable } from "../errors.ts";
import { type Client, send, withinDeadline } from "./send.ts";

export interface Transaction {
  run(query: CompiledQuery): ReturnType<typeof send>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/** How long it may take to begin or to end one, however long its statements may take. */
const TURN_MS_MAX = 15_000;

/** What makes `sql.begin` roll back when nothing went wrong with the connection. */
const ROLLBACK = new Error("Rolled back");

/**
 * Opens a transaction that ends with `commit` or `rollback`.
 *
 * `sql.begin` wants a callback that lasts as long as the transaction, so the callback waits for a promise that
 * the end settles. Once `begin` has rejected, its connection may already serve somebody else: from then on
 * neither its handle nor that promise is touched, and everything rejects with what `begin` rejected with.
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
    // A transaction that begins after its caller has gone is rolled back at once.
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
 * The driver can say that a transaction has begun though the connection was lost while it asked for that (see
 * `send`): then its statements would be committed one by one. Only in a transaction do the two times differ.
 */
async function expectBegun(tx: TransactionSql, client: Client): Promise<void> {
  const [row] = await send(tx, BEGUN, client);
  if (row?.begun !== true) {
    throw new DatabaseUnavailable("Cannot begin a transaction: the connection was lost");
  }
}

const BEGUN = CompiledQuery.raw("select transaction_timestamp() < statement_timestamp() as begun");
