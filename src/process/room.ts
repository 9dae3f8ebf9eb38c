import type { DatabaseUrls } from "../config.ts";
import type { Migrations } from "../migrate/migrations.ts";
import type { Surroundings } from "../surroundings.ts";

/** A running server of PostgreSQL. */
export interface RunningPostgres {
  /** The URL of the superuser. */
  url: string;
  stop(): Promise<void>;
}

/** The optional parts of a process, each with a line in `src/process/rooms.ts` or missing. */
export interface ProcessRooms {
  /** Checks a deployment against the files of the migrations. Returns 1 after a problem, else 0. */
  doctor?: (
    urls: DatabaseUrls,
    limits: Surroundings["limits"],
    files: Pick<Migrations, "numbered">,
  ) => Promise<number>;
  /** Starts a PostgreSQL with the files in a folder. */
  startEmbeddedPostgres?: (folder: string) => Promise<RunningPostgres>;
}
