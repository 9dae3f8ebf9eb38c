import { execFile } from "node:child_process";
import { chmod, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll } from "vitest";

export interface SmallDisk {
  /** The mount point. */
  folder: string;
  /** Takes all the room left. */
  fill(): Promise<void>;
  /** Frees the room taken by `fill`. */
  clear(): Promise<void>;
}

/** Room for a small database, and for PostgreSQL's programs if a copy is necessary. */
const SIZE = "640m";
const BLOCK = Buffer.alloc(1024 * 1024);

const run = promisify(execFile);

/** Mounts a disk in memory for the tests of a file; returns undefined if this process may not mount. */
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
