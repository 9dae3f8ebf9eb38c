import type { Composed } from "../compose.ts";
import type { DatabaseUrls, Settings } from "../config.ts";
import type { Database } from "../database/database.ts";
import { getLogger } from "../log.ts";
import { isMigrated, NEWEST_MIGRATION } from "../migrated.ts";
import type { Replica } from "../read/replica.ts";

const logger = getLogger("cqrs.process");

/**
 * Reaches every database that the process uses, with the login for it. Answers whether they are migrated, a replica
 * aside.
 * @throws {Error} If one cannot be reached, unless it is a replica that the primary stands in for.
 */
export async function reachDatabases(
  { databases: { command, query, handlers }, replica, relay, publishers }: Composed,
  urls: DatabaseUrls,
  { SERVE, OPS_TOKEN }: Settings,
  parts: { api: boolean; relay: boolean },
): Promise<boolean> {
  const operates = OPS_TOKEN !== undefined || publishers.length > 0;
  const used = [
    ...parts.api && SERVE !== "queries" ? [{ db: command, url: urls.command }] : [],
    ...parts.api && SERVE !== "commands" ? [{ db: query, url: urls.query }] : [],
    ...parts.relay ? [{ db: handlers, url: urls.command }] : [],
    ...parts.relay || operates ? [{ db: relay.db, url: urls.relay }] : [],
  ];
  const [migrated] = await Promise.all([
    Promise.all(used.map(reach)),
    parts.api && replica && reachReplica(replica, urls.replica!),
  ]);
  return migrated.every((isReady) => isReady);
}

async function reach({ db, url }: { db: Database; url: string }): Promise<boolean> {
  try {
    return await isMigrated(db);
  } catch (error) {
    throw new Error(`Cannot reach the database at ${new URL(url).host}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

async function reachReplica(replica: Replica, url: string): Promise<void> {
  if (await replica.look()) return;
  try {
    await reach({ db: replica.watch, url });
    logger.warn("Waiting for migration {name} on the replica", { name: NEWEST_MIGRATION });
  } catch (error) {
    if (replica.fallback === "none") throw error;
    logger.warn("{message}; the primary answers queries", { message: (error as Error).message });
  }
}
