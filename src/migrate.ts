import { sql } from "kysely";
import { Migrator } from "kysely/migration";
import type { Database } from "./database/database.ts";

/** The text of a migration by its name, such as `0001_roles`. */
export type Migrations = Record<string, string>;

/**
 * Applies what is pending, all in one transaction, one process at a time. The database must have one connection
 * only, and be connected directly: the lock belongs to the session.
 *
 * @throws {Error} If one fails: then none was applied.
 */
export async function migrate(owner: Database, migrations: Migrations): Promise<string[]> {
  const migrator = new Migrator({
    db: owner,
    provider: { getMigrations: () => Promise.resolve(toSteps(migrations)) },
  });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error) {
    const failed = results.find((result) => result.status === "Error")?.migrationName ?? "the database";
    throw new Error(`Cannot migrate ${failed}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
  for (const role of ["command", "query", "relay"]) {
    await sql`call public.grant_to(${role}, 'select on public.kysely_migration')`.execute(owner);
  }
  return results.map((result) => result.migrationName);
}

function toSteps(migrations: Migrations) {
  return Object.fromEntries(
    Object.entries(migrations).map(([name, text]) => [
      name,
      { up: async (db: Database) => void await sql.raw(text).execute(db) },
    ]),
  );
}

/**
 * Lets the run-time roles log in with the passwords of their URLs. A URL of another user is left alone. Some poolers
 * want the project after the user's name: `shop_query.project`.
 * @see migrations/0001_roles.sql
 */
export async function giveRolesTheirPasswords(owner: Database, urls: string[]): Promise<void> {
  for (const url of urls.map((text) => new URL(text))) {
    const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
    const database = decodeURIComponent(url.pathname.slice(1));
    const role = ["command", "query", "relay"].map((role) => `${database}_${role}`)
      .find((role) => user === role || user.startsWith(`${role}.`));
    if (password === "" || role === undefined) continue;
    await sql`alter role ${sql.id(role)} login password ${sql.lit(password)}`.execute(owner);
  }
}
