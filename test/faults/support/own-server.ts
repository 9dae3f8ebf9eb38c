import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { type OwnPostgres, startPostgres } from "../../support/postgres.ts";

/** A server with a superuser's URL, free to be damaged. */
export type OwnServer = Pick<OwnPostgres, "url" | "restart">;

/**
 * Starts a PostgreSQL only for the tests of a file, free to be damaged. Commits are flushed (fsync).
 * The files are in the given folder, removed by the caller, or in a temporary folder.
 */
export function useOwnServer({ folder: given }: { folder?: string } = {}): OwnServer {
  let folder: string;
  let server: OwnPostgres;
  beforeAll(async () => {
    folder = given ?? await mkdtemp(join(tmpdir(), "cqrs-own-"));
    await chmod(folder, 0o755);
    server = await startPostgres(folder);
  });
  afterAll(async () => {
    await server.stop();
    if (given === undefined) await rm(folder, { recursive: true });
  });
  return {
    get url() {
      return server.url;
    },
    restart: (how) => server.restart(how),
  };
}
