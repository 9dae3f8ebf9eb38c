import { execFile } from "node:child_process";
import { chmod, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll } from "vitest";

export interface SmallDisk {
  /** Where it is mounted. */
  folder: string;
  /** Takes all the room that is left. */
  fill(): Promise<void>;
  /** Gives that room back. */
  clear(): Promise<void>;
}

/** Room for the programs of PostgreSQL, should they have to be copied, and for a small database. */
const SIZE = "640m";
const BLOCK = Buffer.alloc(1024 * 1024);

const run = promisify(execFile);

/** A disk in memory for the tests of this file; undefined where this process may not mount one. */
export async function mountSmallDisk(): Promise<SmallDisk | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "cqrs-disk-"));
  try {
    await run("mount", ["-t", "tmpfs", "-o", `size=${SIZE},mode=755`, "tmpfs", folder]);
  } catch {
    await rm(folder, { recursive: true });
    return undefined;
  }
  await chmod(folder, 0o755);
  const ballast = join(folder, "ballast");
  afterAll(async () => {
    await run("umount", ["--lazy", folder]);
    await rm(folder, { recursive: true });
  });
  return {
    folder,
    async fill() {
      const file = await open(ballast, "w");
      try {
        for (;;) await file.write(BLOCK);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      } finally {
        await file.close();
      }
    },
    clear: () => rm(ballast, { force: true }),
  };
}
