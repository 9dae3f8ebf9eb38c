import { type DatabaseUrls, databaseUrls, type Settings } from "../config.ts";
import { startEmbeddedPostgres } from "./embedded-postgres.ts";
import { provision } from "./provision.ts";

export interface UsedDatabase {
  urls: DatabaseUrls;
  /** True for an embedded PostgreSQL, in `DATA_DIR`. */
  isLocal: boolean;
  stop(): Promise<void>;
}

/** Returns the database of the settings, or an embedded PostgreSQL with a login for each role. */
export async function useDatabase(settings: Settings): Promise<UsedDatabase> {
  const { DATABASE_URL, DATA_DIR } = settings;
  if (DATABASE_URL !== undefined) {
    return {
      urls: databaseUrls({ ...settings, DATABASE_URL }),
      isLocal: false,
      stop: () => Promise.resolve(),
    };
  }
  const server = await startEmbeddedPostgres(DATA_DIR);
  return { urls: await provision(server.url, "shop"), isLocal: true, stop: server.stop };
}
