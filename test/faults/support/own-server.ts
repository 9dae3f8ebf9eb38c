import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../../src/process/embedded-postgres.ts";
import { findBinaries, serverOwner } from "../../../src/process/postgres-binaries.ts";
import { run } from "../../../src/process/run.ts";

export interface OwnServer {
  /** The superuser's URL. */
  readonly url: string;
  /** fast: ends connections and writes everything; immediate: like a crash, with a recovery afterwards. */
  restart(how: "fast" | "immediate"): Promise<void>;
}

/**
 * Starts a PostgreSQL only for the tests of a file, free to be damaged. Commits are flushed (fsync).
 * The files are in the given folder, removed by the caller, or in a temporary folder.
 */
export function useOwnServer({ folder: given }: { folder?: string } = {}): OwnServer {
  let folder: string;
  let server: EmbeddedPostgres;
  beforeAll(async () => {
    folder = given ?? await mkdtemp(join(tmpdir(), "cqrs-own-"));
    await chmod(folder, 0o755);
    server = await startEmbeddedPostgres(folder);
  });
  afterAll(async () => {
    await server.stop();
    if (given === undefined) await rm(folder, { recursive: true });
  });
  return {
    get url() {
      return server.url;
    },
    async restart(how) {
      const owner = await serverOwner(folder);
      const { pg_ctl } = await findBinaries(owner);
      const data = join(owner.folder, "postgres");
      const log = join(data, "server.log");
      const code = await run(pg_ctl, ["restart", "-D", data, "-m", how, "-w", "-l", log], owner);
      if (code !== 0) throw new Error(`Cannot restart PostgreSQL in ${data}: pg_ctl ended with ${code}`);
    },
  };
}
