import type { CompiledQuery } from "kysely";
import type { Sql } from "postgres";
import { DatabaseUnavailable, isConnectionLost, isDatabaseError } from "../errors.ts";
import { sleep } from "../sleep.ts";
import { type Client, send, SETTLE_MS } from "./send.ts";
import { createSlots } from "./slots.ts";
import { openTransaction, type Transaction } from "./transaction.ts";

/** What the dialect works with. */
export interface Pool {
  /** Connections at most. */
  max: number;
  run(query: CompiledQuery): ReturnType<typeof send>;
  /** Opens a transaction, which has a connection for itself until it ends. */
  begin(modes: string): Promise<Transaction>;
  end(): Promise<void>;
}

export interface PoolOptions extends Pick<Client, "prepare" | "deadlineMs" | "isAtWork"> {
  max: number;
  /** How many statements may wait for a connection; more are refused at once. */
  waitingMax: number;
}

const END_SECONDS = 2;
/** As long as the server lets new connections pile up that nobody uses any more. */
const REPLACE_EVERY_MS = 5_000;
const BEGIN_TRIES_MAX = 3;

/**
 * A pool in front of the driver's. It gives the driver no more than it has connections for, so that nothing ever waits
 * for a connection that is lost: with two statements for each, a sixth more queries a second, and now and then one that
 * hangs. And when a statement is not answered in time, it opens the driver anew, because the
 * driver would use a connection that has fallen silent again and again.
 */
export function createPool(connect: () => Sql, options: PoolOptions): Pool {
  const { max, deadlineMs, waitingMax } = options;
  const slots = createSlots(max, waitingMax);
  // A statement that gets its turn late still has the whole deadline: else a slow server would pass for a silent one.
  const waitMs = deadlineMs / 2;
  let client = open();
  let replaceAt = 0;

  /** A client that is replaced when it falls silent. Those who use it then may finish. */
  function open(): Client {
    const opened: Client = { ...options, sql: connect(), onSilence };
    function onSilence() {
      if (client !== opened || performance.now() < replaceAt) return;
      replaceAt = performance.now() + REPLACE_EVERY_MS;
      client = open();
      void opened.sql.end({ timeout: deadlineMs / 1_000 });
    }
    return opened;
  }

  return {
    max,
    async run(query) {
      const giveBack = await slots.take(waitMs);
      try {
        return await settled(() => send(client.sql, query, client));
      } finally {
        giveBack();
      }
    },
    async begin(modes) {
      const giveBack = await slots.take(waitMs);
      try {
        return afterwards(await settled(() => beginTransaction(() => client, modes)), giveBack);
      } catch (error) {
        giveBack();
        throw error;
      }
    },
    end: () => client.sql.end({ timeout: END_SECONDS }),
  };
}

/**
 * The driver may give a connection that has just died to the next statement, which then hangs. A moment later, not.
 * @throws {DatabaseUnavailable} If the connection is lost: what the driver throws cannot be told from an error of others.
 */
async function settled<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isConnectionLost(error)) throw error;
    await sleep(SETTLE_MS);
    throw new DatabaseUnavailable((error as Error).message, { cause: error });
  }
}

/** A transaction that could not begin did nothing, and may be tried again: see `send`. */
async function beginTransaction(client: () => Client, modes: string): Promise<Transaction> {
  for (let tries = 1;; tries++) {
    try {
      return await openTransaction(client(), modes);
    } catch (error) {
      if (tries === BEGIN_TRIES_MAX || !isDatabaseError(error) || !isConnectionLost(error)) throw error;
      await sleep(SETTLE_MS);
    }
  }
}

function afterwards({ run, commit, rollback }: Transaction, end: () => void): Transaction {
  return {
    run: (query) => settled(() => run(query)),
    commit: () => settled(commit).finally(end),
    rollback: () => settled(rollback).finally(end),
  };
}
