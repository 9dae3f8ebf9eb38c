import type { Database } from "../database/database.ts";
import { DatabaseUnavailable } from "../errors.ts";
import { listMissing, nameAll } from "../migrated.ts";
import type { Resources } from "./env.ts";
import type { Served } from "./served.ts";

/**
 * Checks that the databases behind the served routes have every migration: a replica may lag behind.
 * @throws {DatabaseUnavailable} If a database lacks a migration or is out of reach: ask another process meanwhile.
 */
export async function checkReady({ databases, replica }: Resources, served: Served): Promise<void> {
  const primary = served === "queries" ? databases.queries : databases.commands;
  const hasReplica = await replica?.checkReady();
  // Queries go on without the primary.
  if (!(hasReplica && served === "queries")) await checkMigrated(primary);
}

async function checkMigrated(db: Database): Promise<void> {
  const missing = await listMissing(db);
  if (missing.length === 0) return;
  throw new DatabaseUnavailable(`Cannot serve yet: the database lacks ${nameAll(missing)}`);
}
