import { readdir, readFile } from "node:fs/promises";
import { openDatabase } from "../database/database.ts";
import { poolerOf } from "../database/pooler.ts";
import type { DatabaseUrls } from "../config.ts";
import { giveRolesTheirPasswords, migrate, type Migrations } from "../migrate.ts";

const FOLDER = new URL("../../migrations/", import.meta.url);
const MIGRATION_MS = 3_600_000;

/**
 * Brings the database up to date, and lets the roles log in. Answers the names of what was applied.
 * @throws {Error} If the owner's URL is that of a transaction pooler: the lock of migrations belongs to a session.
 */
export async function migrateDatabase(urls: DatabaseUrls): Promise<string[]> {
  if (poolerOf(urls.owner) !== "none") {
    const { host } = new URL(urls.owner);
    throw new Error(`Cannot migrate through a transaction pooler: ${host}; set DATABASE_DIRECT_URL`);
  }
  const owner = openDatabase(urls.owner, {
    max: 1,
    deadlineMs: MIGRATION_MS,
    applicationName: "cqrs migrate",
  });
  try {
    const applied = await migrate(owner, await readMigrations());
    await giveRolesTheirPasswords(owner, [urls.command, urls.query, urls.relay, urls.direct]);
    return applied;
  } finally {
    await owner.destroy();
  }
}

/** The files of the folder `migrations`. */
export async function readMigrations(): Promise<Migrations> {
  const read = (file: string) => readFile(new URL(file, FOLDER), "utf8");
  const files = (await readdir(FOLDER)).filter((file) => /^\d{4}_.*\.sql$/.test(file)).sort();
  const numbered = await Promise.all(files.map(async (file) => [file.slice(0, -4), await read(file)]));
  return { numbered: Object.fromEntries(numbered), roles: await read("roles.sql") };
}
