import { join } from "node:path";
import postgres from "postgres";
import { describe } from "vitest";
import type { ProcessRooms, RunningPostgres } from "../../src/process/room.ts";
import * as rooms from "../../src/process/rooms.ts";
import { runAs, serverUser } from "./server-user.ts";

const optional: ProcessRooms = rooms;
const { startEmbeddedPostgres } = optional;

/** Like `describe`, for tests with servers of their own: skipped without the room embedded-postgres. */
export const describeOnServer = describe.skipIf(!startEmbeddedPostgres);

export interface OwnPostgres extends RunningPostgres {
  /** The folder of the server's files. */
  data: string;
  /** fast: ends connections and writes everything; immediate: like a crash, with a recovery afterwards. */
  restart(how: "fast" | "immediate"): Promise<void>;
}

/** Starts an embedded PostgreSQL with the files in a folder open to every user. */
export async function startPostgres(folder: string): Promise<OwnPostgres> {
  if (!startEmbeddedPostgres) {
    throw new Error("Cannot start a PostgreSQL: the room embedded-postgres is closed; set TEST_DATABASE_URL");
  }
  const server = await startEmbeddedPostgres(folder);
  const { bin, data } = await placesOf(server.url);
  return {
    ...server,
    data,
    async restart(how) {
      const args = ["restart", "-D", data, "-m", how, "-w", "-l", join(data, "server.log")];
      const code = await runAs(await serverUser(), join(bin, "pg_ctl"), args);
      if (code !== 0) throw new Error(`Cannot restart PostgreSQL in ${data}: pg_ctl ended with ${code}`);
    },
  };
}

/** Asks a server for the folders of its programs and of its files. */
async function placesOf(url: string): Promise<{ bin: string; data: string }> {
  const sql = postgres(url, { max: 1, fetch_types: false });
  try {
    const [places] = await sql<{ bin: string; data: string }[]>`
      select (select setting from pg_config where name = 'BINDIR') as bin, current_setting('data_directory') as data`;
    return places!;
  } finally {
    await sql.end();
  }
}
