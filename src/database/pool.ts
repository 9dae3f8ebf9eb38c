import type { CompiledQuery } from "kysely";
import type { Sql } from "postgres";
import { DatabaseUnavailable, isConnectionLost, isDatabaseError } from "../errors.ts";
import { sleep } from "../sleep.ts";
import { type Client, send, SETTLE_MS } from "./send.ts";
import { createSlots } from "./slots.ts";
import { openTransaction, type Transaction } from "./transaction.ts";

/** The connections of the dialect. */
export interface Pool {
  /** Connections at most. */
  max: number;
  run(query: CompiledQuery): ReturnType<typeof send>;
  /** Opens a transaction, with a connection of its own until the end. */
  begin(modes: string): Promise<Transaction>;
  end(): Promise<void>;
}

export interface PoolOptions extends Pick<Client, "prepare" | "deadlineMs" | "isAtWork"> {
  max: number;
  /** The most statements that may wait for a connection; further statements are refused at once. */
  waitingMax: number;
}

const END_SECONDS = 2;
/** The shortest time between two replacements: each leaves unused connections on the server for a while. */
const REPLACE_EVERY_MS = 5_000;
const BEGIN_TRIES_MAX = 3;

/**
 * Returns a pool in front of the driver's pool. The driver gets no more statements than connections, and no
 * statement waits for a lost connection. (Two statements for each connection would give a sixth more queries
 * a second, but some would hang.) After a statement without an answer in time, the pool opens the driver
 * anew: the driver would use the silent connection again and again.
 */
export function createPool(connect: () => Sql, options: PoolOptions): Pool {
  const { max, deadlineMs, waitingMax } = options;
  const slots = createSlots(max, waitingMax);
  // A statement with a late turn still has the whole deadline: otherwise a slow server would look silent.
  const waitMs = deadlineMs / 2;
  let client = open();
  let replaceAt = 0;

  /** Returns a client that is replaced after a silence. Running statements of the old client may finish. */
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
 * Waits a moment after the loss of a connection. At once, the driver could give the dead connection to the
 * next statement, and the statement would hang.
 * @throws {DatabaseUnavailable} If the connection is lost. The driver's own error looks like any other error.
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

/** Tries again when a transaction cannot begin: nothing has been done yet (see `send`). */
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
