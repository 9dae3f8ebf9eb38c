import { randomBytes } from "node:crypto";
import { chown, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Binaries, exists, type Owner } from "./postgres-binaries.ts";
import { run } from "./run.ts";

/**
 * Creates the data folder if missing, and returns the superuser's password. The folder is made elsewhere and
 * moved into place in a single step: two starts, or a killed start, leave no half of a folder.
 * @throws {Error} If another user or process has the folder: set `DATA_DIR`.
 */
export async function initialise(binaries: Binaries, owner: Owner, data: string): Promise<string> {
  if (!await exists(data)) await create(binaries, owner, data);
  if ((await stat(data)).uid !== (owner.uid ?? process.getuid?.() ?? 0)) {
    throw new Error(`Cannot use the database in ${data}: it belongs to another user; set DATA_DIR`);
  }
  return await readFile(passwordOf(data), "utf8");
}

async function create({ initdb }: Binaries, owner: Owner, data: string): Promise<void> {
  const draft = await mkdtemp(`${data}.`);
  const password = `${draft}.password`;
  const options = [
    "-U",
    "postgres",
    "-A",
    "scram-sha-256",
    `--pwfile=${password}`,
    "-E",
    "UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
  ];
  try {
    await writeFile(password, randomBytes(16).toString("hex"), { mode: 0o600 });
    if (owner.uid !== undefined) {
      await Promise.all([draft, password].map((path) => chown(path, owner.uid!, owner.gid!)));
    }
    const code = await run(initdb, ["-D", draft, ...options], owner);
    if (code !== 0) throw new Error(`Cannot create the database in ${data}: initdb failed with code ${code}`);
    await rename(password, passwordOf(draft));
    await rename(draft, data).catch(() => {
      throw inUse(data);
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
    await rm(password, { force: true });
  }
}

/** Returns the error for a folder used by another process. */
export function inUse(data: string): Error {
  return new Error(
    `Cannot use the database in ${data}: another process is using it; stop it, or set DATA_DIR`,
  );
}

function passwordOf(data: string): string {
  return join(data, "password");
}
