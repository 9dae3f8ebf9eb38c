import { readdir, readFile } from "node:fs/promises";
import { openDatabase } from "../database/database.ts";
import { poolerOf } from "../database/pooler.ts";
import type { DatabaseUrls } from "../config.ts";
import { giveLoginsTheirSettings } from "./login-settings.ts";
import { giveRolesTheirPasswords, migrate, type Migrations } from "../migrate.ts";

const FOLDER = new URL("../../migrations/", import.meta.url);
const MIGRATION_MS = 3_600_000;

/**
 * Applies the pending migrations, and sets the passwords of the roles. Returns the names of the applied
 * migrations.
 * @throws {Error} If the owner's URL is of a transaction pooler: set `DATABASE_DIRECT_URL`. The lock of
 * migrations belongs to a session.
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
    await giveLoginsTheirSettings(owner, urls);
    return applied;
  } finally {
    await owner.destroy();
  }
}

/** Reads the files of the folder `migrations`. */
export async function readMigrations(): Promise<Migrations> {
  const read = (file: string) => readFile(new URL(file, FOLDER), "utf8");
  const files = (await readdir(FOLDER)).filter((file) => /^\d{4}_.*\.sql$/.test(file)).sort();
  const numbered = await Promise.all(files.map(async (file) => [file.slice(0, -4), await read(file)]));
  return { numbered: Object.fromEntries(numbered), roles: await read("roles.sql") };
}
