import type { Database } from "../database/database.ts";
import { DatabaseUnavailable, isDatabaseError, isGivenUp, isUnavailable } from "../errors.ts";

/** A copy of the primary database, kept up to date, for queries. */
export interface Replica {
  db: Database;
  /** A separate pool for looks at the replica: waiting queries must not make the replica seem away. */
  watch: Database;
  /** The database to ask when the replica cannot answer: the primary, or none. */
  fallback: "primary" | "none";
  /** Returns the result of the last look; true before the first look. */
  isThere(): boolean;
  /** Returns true if the replica answers and has the newest migration. Simultaneous calls share a look. */
  look(): Promise<boolean>;
}

/** The time between two looks at the replica during a query. */
const PATIENCE_MS = 1_000;
/** The shortest time between two looks at an absent replica. */
const LOOK_EVERY_MS = 1_000;

/** Returns a replica, taken for present until a look says otherwise. `isMigrated` asks, and may fail. */
export function createReplica(
  { db, watch, fallback }: Pick<Replica, "db" | "watch" | "fallback">,
  isMigrated: (db: Database) => Promise<boolean>,
): Replica {
  let there = true;
  let lookedAt = -Infinity;
  let looking: Promise<boolean> | undefined;
  const look = () =>
    looking ??= isMigrated(watch).catch(() => false).then((answer) => {
      lookedAt = performance.now();
      looking = undefined;
      return there = answer;
    });
  return {
    db,
    watch,
    fallback,
    look,
    isThere() {
      // Not awaited: the next queries profit from the look.
      if (!there && performance.now() - lookedAt > LOOK_EVERY_MS) void look();
      return there;
    },
  };
}

/**
 * Asks the replica or, if the replica cannot answer and `fallback` allows, the primary. A query too slow for
 * the replica does not go to the primary: the primary would have the same trouble.
 *
 * @throws {DatabaseUnavailable} If the replica is away, and the primary too or not allowed: try again later.
 */
export async function askReplica<T>(
  replica: Replica,
  primary: Database,
  ask: (db: Database) => Promise<T>,
): Promise<T> {
  try {
    if (!replica.isThere()) throw new DatabaseUnavailable("Cannot reach the replica");
    return await askTwice(replica, ask);
  } catch (error) {
    if (replica.fallback === "none" || !isForAnother(error)) throw error;
    return await ask(primary);
  }
}

/** Asks again after a cancellation: a replica cancels queries in the way of replay, mostly only once. */
async function askTwice<T>(replica: Replica, ask: (db: Database) => Promise<T>): Promise<T> {
  try {
    return await askWatched(replica, ask);
  } catch (error) {
    if (!isGivenUp(error)) throw error;
    return await askWatched(replica, ask);
  }
}

/** Waits for the answer only as long as the replica gives signs of life. */
async function askWatched<T>(replica: Replica, ask: (db: Database) => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setInterval> | undefined;
  const away = new Promise<never>((_, reject) => {
    const look = async () => {
      if (!await replica.look()) reject(new DatabaseUnavailable("Cannot hear the replica"));
    };
    timer = setInterval(() => void look(), PATIENCE_MS);
  });
  try {
    return await Promise.race([ask(replica.db), away]);
  } catch (error) {
    if (error instanceof DatabaseUnavailable) void replica.look();
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/** query_canceled: here, by the statement's time limit. */
const TOO_LONG = "57014";

function isForAnother(error: unknown): boolean {
  if (isDatabaseError(error) && error.code === TOO_LONG) return false;
  return isUnavailable(error) || isGivenUp(error);
}
