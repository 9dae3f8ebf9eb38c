import type { Database } from "../database/database.ts";
import { DatabaseUnavailable, isDatabaseError, isGivenUp, isUnavailable } from "../errors.ts";

/** A copy of the database that follows it, for queries. */
export interface Replica {
  db: Database;
  /** A pool of its own for looking after it: what queries wait for must not hide that the replica is there. */
  watch: Database;
  /** Who answers when the replica cannot: the primary, or nobody. */
  fallback: "primary" | "none";
  /** Whether it could be asked when it was last looked after. */
  isThere(): boolean;
  /** Looks whether it can be asked: it answers, and has the newest migration. At the same time, one look serves all. */
  look(): Promise<boolean>;
}

/** How long a query may take before it is looked whether the replica is still there, and again and again. */
const PATIENCE_MS = 1_000;
/** How often it is looked whether a replica that was away is back. */
const LOOK_EVERY_MS = 1_000;

/** Takes a replica for present until a look says otherwise. `isMigrated` asks it and may fail. */
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
      // Nobody waits for this look: the next ones profit from it.
      if (!there && performance.now() - lookedAt > LOOK_EVERY_MS) void look();
      return there;
    },
  };
}

/**
 * Asks the replica or, if it cannot answer and that is allowed, the primary. A query that takes too long on the replica
 * does not go to the primary, which would have the same trouble with it.
 *
 * @throws {DatabaseUnavailable} If the replica is away: try again later.
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

/** A replica cancels queries that are in the way of what it has to replay: the same one mostly goes well a moment later. */
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
