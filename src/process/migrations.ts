import { readdir, readFile } from "node:fs/promises";
import { sql } from "kysely";
import { type Database, openDatabase } from "../database/database.ts";
import { poolerOf } from "../database/pooler.ts";
import type { DatabaseUrls } from "../config.ts";
import { giveLoginsTheirSettings } from "./login-settings.ts";
import { migrate } from "../migrate.ts";
import { withMigrationLock } from "../migrate/lock.ts";
import { giveRolesTheirPasswords } from "../migrate/passwords.ts";
import type { Migrations, Warning } from "../migrate/migrations.ts";
import { explain } from "../migrate/run.ts";

const FOLDER = new URL("../../migrations/", import.meta.url);
const MIGRATION_MS = 3_600_000;
const LOGIN_MS = 5_000;

/**
 * Applies the pending migrations, and sets the passwords of the roles. `report` prints progress and
 * PostgreSQL's warnings. Returns the names of the applied migrations.
 * @throws {Error} If the owner's URL is of a transaction pooler: set `DATABASE_DIRECT_URL`. The lock of
 * migrations belongs to a session, and is held to the end: two processes changing a role at once fail.
 */
export async function migrateDatabase(
  urls: DatabaseUrls,
  report: (line: string) => void = () => {},
): Promise<string[]> {
  if (poolerOf(urls.owner) !== "none") {
    const { host } = new URL(urls.owner);
    throw new Error(`Cannot migrate through a transaction pooler: ${host}; set DATABASE_DIRECT_URL`);
  }
  const warnings: Warning[] = [];
  const owner = openDatabase(urls.owner, {
    max: 1,
    deadlineMs: MIGRATION_MS,
    applicationName: "cqrs migrate",
    onWarning(warning) {
      warnings.push(warning);
      report(`Warning: ${warning.message}`);
    },
  });
  try {
    const options = { report, takeWarnings: () => warnings.splice(0) };
    return await withMigrationLock(owner, report, async () => {
      const applied = await migrate(owner, await readMigrations(), options);
      await setPasswords(owner, urls);
      await giveLoginsTheirSettings(owner, urls);
      return applied;
    }).catch(explain("the database"));
  } finally {
    await owner.destroy();
  }
}

async function setPasswords(owner: Database, urls: DatabaseUrls): Promise<void> {
  const own = [urls.command, urls.query, urls.relay, urls.direct];
  const mayLogIn = async (username: string, password: string) => {
    const url = Object.assign(new URL(urls.owner), {
      username: encodeURIComponent(username),
      password: encodeURIComponent(password),
    });
    const db = openDatabase(url.href, { max: 1, deadlineMs: LOGIN_MS });
    const works = await sql`select`.execute(db).then(() => true, () => false);
    await db.destroy();
    return works;
  };
  await giveRolesTheirPasswords(owner, own, mayLogIn);
}

/** Reads the files of the folder `migrations`. */
export async function readMigrations(): Promise<Migrations> {
  const read = (file: string) => readFile(new URL(file, FOLDER), "utf8");
  const files = (await readdir(FOLDER)).filter((file) => /^\d{4}_.*\.sql$/.test(file)).sort();
  const numbered = await Promise.all(files.map(async (file) => [file.slice(0, -4), await read(file)]));
  return { numbered: Object.fromEntries(numbered), roles: await read("roles.sql") };
}
