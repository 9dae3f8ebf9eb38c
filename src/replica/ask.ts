import type { Database } from "../database/database.ts";
import { DatabaseUnavailable, isDatabaseError, isGivenUp, isUnavailable } from "../errors.ts";
import type { Standby } from "./standby.ts";

/** The time between two looks at the replica during a query. */
const PATIENCE_MS = 1_000;

/**
 * Asks the replica or, if the replica cannot answer and `fallback` allows, the primary. A query too slow for
 * the replica does not go to the primary: the primary would have the same trouble.
 *
 * @throws {DatabaseUnavailable} If the replica is away, and the primary too or not allowed: try again later.
 */
export async function askStandby<T>(
  standby: Standby,
  primary: Database,
  ask: (db: Database) => Promise<T>,
): Promise<T> {
  try {
    if (!standby.isThere()) throw new DatabaseUnavailable("Cannot reach the replica");
    return await askTwice(standby, ask);
  } catch (error) {
    if (standby.fallback === "none" || !isForAnother(error)) throw error;
    return await ask(primary);
  }
}

/** Asks again after a cancellation: a replica cancels queries in the way of replay, mostly only once. */
async function askTwice<T>(standby: Standby, ask: (db: Database) => Promise<T>): Promise<T> {
  try {
    return await askWatched(standby, ask);
  } catch (error) {
    if (!isGivenUp(error)) throw error;
    return await askWatched(standby, ask);
  }
}

/** Waits for the answer only as long as the replica gives signs of life. */
async function askWatched<T>(standby: Standby, ask: (db: Database) => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setInterval> | undefined;
  const away = new Promise<never>((_, reject) => {
    const look = async () => {
      if (!await standby.look()) reject(new DatabaseUnavailable("Cannot hear the replica"));
    };
    timer = setInterval(() => void look(), PATIENCE_MS);
  });
  try {
    return await Promise.race([ask(standby.db), away]);
  } catch (error) {
    if (error instanceof DatabaseUnavailable) void standby.look();
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
