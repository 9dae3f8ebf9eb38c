import { type DatabaseUrls, databaseUrls, InvalidSettings, type Settings } from "../config.ts";
import { withCertificates } from "./certificates.ts";
import { provision } from "./provision.ts";
import type { ProcessRooms } from "./room.ts";
import * as rooms from "./rooms.ts";

const optional: ProcessRooms = rooms;
const { startEmbeddedPostgres } = optional;

export interface UsedDatabase {
  urls: DatabaseUrls;
  /** True for an embedded PostgreSQL, in `DATA_DIR`. */
  isLocal: boolean;
  stop(): Promise<void>;
}

/**
 * Returns the database of the settings, or an embedded PostgreSQL with a login for each role.
 * @throws {InvalidSettings} If `DATABASE_URL` is missing, and the embedded PostgreSQL is left out.
 */
export async function useDatabase(settings: Settings): Promise<UsedDatabase> {
  const { DATABASE_URL, DATA_DIR } = settings;
  if (DATABASE_URL !== undefined) {
    return {
      urls: databaseUrls(await withCertificates({ ...settings, DATABASE_URL })),
      isLocal: false,
      stop: () => Promise.resolve(),
    };
  }
  if (!startEmbeddedPostgres) throw new InvalidSettings("Cannot start: DATABASE_URL is missing");
  const server = await startEmbeddedPostgres(DATA_DIR);
  return { urls: await provision(server.url, "cqrs"), isLocal: true, stop: server.stop };
}
