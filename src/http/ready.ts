import type { Database } from "../database/database.ts";
import { DatabaseUnavailable } from "../errors.ts";
import { isMigrated, NEWEST_MIGRATION } from "../migrated.ts";
import type { Parts } from "./env.ts";
import type { Served } from "./served.ts";

/**
 * Makes sure that the databases that answer what is served have the newest migration: a replica may get it later.
 * @throws {DatabaseUnavailable} If one has not, or cannot be reached: ask another process meanwhile.
 */
export async function checkReady({ databases, replica }: Parts, served: Served): Promise<void> {
  const primary = served === "queries" ? databases.query : databases.command;
  const hasReplica = await replica?.look();
  if (hasReplica === false && replica?.fallback === "none") {
    throw new DatabaseUnavailable(
      `Cannot serve yet: the replica is away, or not at migration ${NEWEST_MIGRATION}`,
    );
  }
  // Queries go on without the primary.
  if (!(hasReplica && served === "queries")) await checkMigrated(primary);
}

async function checkMigrated(db: Database): Promise<void> {
  if (await isMigrated(db)) return;
  throw new DatabaseUnavailable(`Cannot serve yet: the database is not at migration ${NEWEST_MIGRATION}`);
}
