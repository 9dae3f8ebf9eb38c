import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { ProcessRooms } from "../src/process/room.ts";
import * as rooms from "../src/process/rooms.ts";

const optional: ProcessRooms = rooms;
const { startEmbeddedPostgres } = optional;

export interface PostgresServer {
  /** The URL of a login with the rights to create databases and roles. */
  adminUrl: string;
  stop(): Promise<void>;
}

/** Returns the server of `BENCH_DATABASE_URL`, or starts an embedded PostgreSQL, deleted by `stop`. */
export async function startPostgresServer(): Promise<PostgresServer> {
  const { BENCH_DATABASE_URL } = process.env;
  if (BENCH_DATABASE_URL) {
    return { adminUrl: BENCH_DATABASE_URL, stop: () => Promise.resolve() };
  }
  if (!startEmbeddedPostgres) throw new Error("Cannot measure: BENCH_DATABASE_URL is missing");
  const folder = await mkdtemp(join(tmpdir(), "cqrs-bench-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    // For root: the server runs as another user, and must get in.
    await chmod(folder, 0o755);
    const { url, stop } = await startEmbeddedPostgres(folder);
    return {
      adminUrl: url,
      async stop() {
        await stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
