import type { Composed } from "../compose.ts";
import type { DatabaseUrls, Settings } from "../config.ts";
import type { Database } from "../database/database.ts";
import { listDeviations, remedyFor } from "../database/session.ts";
import { listMissing } from "../migrated.ts";

/**
 * Reaches every database of the process, each with the matching login. Returns the missing migrations,
 * without a replica's.
 * @throws {Error} If a database cannot be reached, except a replica while the primary stands in: check URL
 * and server. Also if a session has settings that the program cannot work with, as behind a pooler for a
 * login unknown to the migrations.
 */
export async function reachDatabases(
  { databases: { commands, queries, handlers }, replica, relay, begin }: Composed,
  urls: DatabaseUrls,
  { SERVE, OPS_TOKEN }: Settings,
  runs: { api: boolean; relay: boolean },
): Promise<string[]> {
  const operates = OPS_TOKEN !== undefined || begin !== undefined;
  const used = [
    ...runs.api && SERVE !== "queries" ? [{ db: commands, url: urls.command }] : [],
    ...runs.api && SERVE !== "commands" ? [{ db: queries, url: urls.query }] : [],
    ...runs.relay ? [{ db: handlers, url: urls.command }] : [],
    ...runs.relay || operates ? [{ db: relay.db, url: urls.relay }] : [],
  ];
  const [missing] = await Promise.all([
    Promise.all(used.map(reach)),
    runs.api && replica?.reach(),
  ]);
  return [...new Set(missing.flat())];
}

async function reach({ db, url }: { db: Database; url: string }): Promise<string[]> {
  const { host } = new URL(url);
  const [missing, deviations] = await Promise.all([listMissing(db), listDeviations(db)]).catch((error) => {
    throw new Error(`Cannot reach the database at ${host}: ${(error as Error).message}`, { cause: error });
  });
  // The migrations give the settings to the logins.
  const harmful = missing.length === 0 && deviations.find(({ harms }) => harms);
  if (!harmful) return missing;
  const { name, value } = harmful;
  throw new Error(
    `Cannot work with the database at ${host}: ${name} is ${value}; ${remedyFor(harmful)}`,
  );
}
