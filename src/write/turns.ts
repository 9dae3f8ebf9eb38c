import type { Database } from "../database/database.ts";
import { CommandInProgress, TryAgain } from "../errors.ts";
import type { IdempotencyKey } from "./idempotency.ts";

const WAITING_MAX = 1_000;
const WAIT_MS_MAX = 10_000;

/**
 * The commands of a process for the same stream, carried out one after another: first come, first served.
 * Without turns, commands race in the database, and all but the fastest are undone.
 */
class Turns {
  /** The waiting commands of each stream with a command under way. */
  readonly #waiting = new Map<string, (() => void)[]>();
  /** The idempotency keys of the commands being saved. */
  readonly keys = new Set<string>();

  /** Waits for the turn, and returns the function that ends the turn. */
  async take(stream: string): Promise<() => void> {
    const waiting = this.#waiting.get(stream);
    if (!waiting) this.#waiting.set(stream, []);
    else await this.#wait(stream, waiting);
    return () => this.#pass(stream);
  }

  #wait(stream: string, waiting: (() => void)[]): Promise<void> {
    if (waiting.length >= WAITING_MAX) {
      throw new TryAgain(`Cannot wait for ${stream}: ${WAITING_MAX} others wait`);
    }
    return new Promise((resolve, reject) => {
      const begin = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(begin), 1);
        reject(new TryAgain(`Cannot wait longer for ${stream}: ${waiting.length} others wait`));
      }, WAIT_MS_MAX);
      waiting.push(begin);
    });
  }

  #pass(stream: string): void {
    const next = this.#waiting.get(stream)!.shift();
    if (next) next();
    else this.#waiting.delete(stream);
  }
}

/** Keyed by the pool: where each request has pools of its own, no request waits for another. */
const turnsOf = new WeakMap<Database, Turns>();

/** Lets the commands through two pools of a process take turns together. */
export function shareTurns(one: Database, other: Database): void {
  const turns = new Turns();
  turnsOf.set(one, turns);
  turnsOf.set(other, turns);
}

/**
 * Does the work while no other command of the process works on the stream. Between processes, the version check
 * of the append decides.
 * @throws {TryAgain} If too many wait for the stream, or the turn does not come in time: send it again.
 * @throws {CommandInProgress} If a command with the same key is being saved: a repetition does not wait.
 */
export async function inTurn<T>(
  db: Database,
  stream: string,
  key: IdempotencyKey | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const turns = turnsFor(db);
  if (key && turns.keys.has(nameOf(key))) {
    throw new CommandInProgress(`A command with idempotency key ${key.key} is running`);
  }
  const end = await turns.take(stream);
  try {
    return await work();
  } finally {
    end();
  }
}

/** Does the work, and lets commands with the same key know meanwhile. */
export async function whileSaving<T>(
  db: Database,
  key: IdempotencyKey | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (!key) return await work();
  const { keys } = turnsFor(db);
  keys.add(nameOf(key));
  try {
    return await work();
  } finally {
    keys.delete(nameOf(key));
  }
}

function turnsFor(db: Database): Turns {
  const turns = turnsOf.get(db) ?? new Turns();
  turnsOf.set(db, turns);
  return turns;
}

function nameOf({ caller, command, key }: IdempotencyKey): string {
  return JSON.stringify([caller, command, key]);
}
