import { DatabaseUnavailable } from "../errors.ts";
import { getLogger } from "../logging.ts";
import { listMissing, nameAll } from "../migrated.ts";
import type { Standby } from "./standby.ts";

const logger = getLogger("cqrs.process");

/** Returns true if the replica can answer. @throws {DatabaseUnavailable} If not, and nobody stands in. */
export async function checkReady({ look, fallback }: Standby): Promise<boolean> {
  const isThere = await look();
  if (!isThere && fallback === "none") {
    throw new DatabaseUnavailable("Cannot serve yet: the replica is away, or lacks a migration");
  }
  return isThere;
}

/**
 * Reaches the replica when a process starts. A replica behind in migrations is waited for later.
 * @throws {Error} If the replica is away, and the primary does not stand in: check URL and server.
 */
export async function reach({ look, watch, fallback }: Standby, url: string): Promise<void> {
  if (await look()) return;
  try {
    logger.warn("Waiting for {missing} on the replica", { missing: nameAll(await listMissing(watch)) });
  } catch (error) {
    const { message } = error as Error;
    const unreached = `Cannot reach the database of QUERY_DATABASE_URL at ${new URL(url).host}: ${message}`;
    if (fallback === "none") throw new Error(unreached, { cause: error });
    logger.warn("{message}; the primary answers queries", { message: unreached });
  }
}
