import { spawnSync } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { ProcessRooms } from "../src/process/room.ts";
import * as rooms from "../src/process/rooms.ts";

/**
 * Runs a command with an embedded PostgreSQL of this checkout in `TEST_DATABASE_URL`, for a copy without one:
 * `node --import tsx test/with-postgres.ts COMMAND…`
 */
async function main([command, ...args]: string[]): Promise<number> {
  const optional: ProcessRooms = rooms;
  const { startEmbeddedPostgres } = optional;
  if (!startEmbeddedPostgres) {
    throw new Error("Cannot start a PostgreSQL: the room embedded-postgres is closed");
  }
  const folder = await mkdtemp(join(tmpdir(), "cqrs-test-"));
  await chmod(folder, 0o755);
  const { url, stop } = await startEmbeddedPostgres(folder);
  try {
    const env = { ...process.env, TEST_DATABASE_URL: url };
    return spawnSync(command!, args, { stdio: "inherit", env }).status ?? 1;
  } finally {
    await stop();
    await rm(folder, { recursive: true, force: true });
  }
}

process.exit(await main(process.argv.slice(2)));
