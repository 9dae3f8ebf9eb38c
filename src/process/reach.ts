import type { Composed } from "../compose.ts";
import { type DatabaseSetting, type DatabaseUrls, settingOf, type Settings } from "../config.ts";
import type { Database } from "../database/database.ts";
import { type Deviation, listDeviations, remedyFor } from "../database/session.ts";
import { listMissing } from "../migrated.ts";
import { describeUnreached } from "./unreached.ts";

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
  settings: Settings,
  runs: { api: boolean; relay: boolean },
): Promise<string[]> {
  const operates = settings.OPS_TOKEN !== undefined || begin !== undefined;
  const { SERVE } = settings;
  const used: Used[] = [
    ...runs.api && SERVE !== "queries" ? [{ db: commands, url: urls.command, name: COMMAND }] : [],
    ...runs.api && SERVE !== "commands" ? [{ db: queries, url: urls.query, name: QUERY }] : [],
    ...runs.relay ? [{ db: handlers, url: urls.command, name: COMMAND }] : [],
    ...runs.relay || operates ? [{ db: relay.db, url: urls.relay, name: RELAY }] : [],
  ];
  const reaching = [
    ...used.map((one) => reach({ ...one, name: settingOf(settings, one.name) })),
    ...runs.api && replica ? [replica.reach().then(() => [])] : [],
  ];
  // Waits for all: while a connection is being made, the driver would take two seconds to end.
  await Promise.allSettled(reaching);
  return [...new Set((await Promise.all(reaching)).flat())];
}

interface Used {
  db: Database;
  url: string;
  /** The setting with the URL. */
  name: DatabaseSetting;
}

const [COMMAND, QUERY, RELAY] = ["COMMAND_DATABASE_URL", "QUERY_DATABASE_URL", "RELAY_DATABASE_URL"] as const;

async function reach({ db, url, name: setting }: Used): Promise<string[]> {
  try {
    const missing = await listMissing(db);
    // The migrations give the settings to the logins.
    if (missing.length === 0) expectSettings(setting, await listDeviations(db));
    return missing;
  } catch (error) {
    if (error instanceof Unfit) throw error;
    throw new Error(describeUnreached(error as Error, setting, url), { cause: error });
  }
}

/** The sessions of a login have settings that make answers wrong: do as the message says. */
class Unfit extends Error {}

function expectSettings(setting: string, deviations: Deviation[]): void {
  const harmful = deviations.find(({ harms }) => harms);
  if (!harmful) return;
  const { name, value } = harmful;
  throw new Unfit(`Cannot work with the database of ${setting}: ${name} is ${value}; ${remedyFor(harmful)}`);
}
