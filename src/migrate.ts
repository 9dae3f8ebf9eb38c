import { sql } from "kysely";
import { Migrator } from "kysely/migration";
import type { Database } from "./database/database.ts";
import { expectUtf8 } from "./database/session.ts";

/** The SQL files of `migrations/`. */
export interface Migrations {
  /** The text of every numbered migration by name, for example `0002_events`. */
  numbered: Record<string, string>;
  /** The text of `roles.sql`, applied by every migrate after the numbered migrations. */
  roles: string;
}

/** A migration of the layout before the first release, and of no later layout. */
const EARLY_LAYOUT = "0001_roles";

/**
 * Applies pending migrations and afterwards roles, limits and rights: all in one transaction, one process at
 * a time. The database must be connected directly, as the owner. Migrations known only to the database, from
 * a newer program, stay untouched. Pending migrations may come before applied migrations, as after an upgrade
 * of the machinery below an owner's migrations.
 *
 * @returns The names of the applied numbered migrations.
 * @throws {Error} If a migration fails: nothing was applied.
 */
export async function migrate(owner: Database, { numbered, roles }: Migrations): Promise<string[]> {
  return await owner.transaction().setIsolationLevel("read committed").execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(hashtext('migrate'))`.execute(trx);
    await expectUtf8(trx);
    const applied = await applyPending(trx, numbered);
    await sql.raw(roles).execute(trx).catch(explain("roles"));
    return applied;
  }).catch(explain("the database"));
}

async function applyPending(trx: Database, numbered: Record<string, string>): Promise<string[]> {
  const known = await listApplied(trx);
  if (known.includes(EARLY_LAYOUT)) {
    throw new Error(
      `Cannot migrate: the database was made by an early version of this project (it has ${EARLY_LAYOUT}), which no ` +
        "migration leads on from; use an empty database, or set DATA_DIR to a new folder",
    );
  }
  const none = Object.fromEntries(known.map((name) => [name, { up: async () => {} }]));
  const migrator = new Migrator({
    db: trx,
    provider: { getMigrations: () => Promise.resolve({ ...none, ...toSteps(numbered) }) },
    allowUnorderedMigrations: true,
  });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error) {
    explain(results.find(({ status }) => status === "Error")?.migrationName ?? "the database")(error);
  }
  return results.map(({ migrationName }) => migrationName);
}

async function listApplied(trx: Database): Promise<string[]> {
  const { rows: [found] } = await sql<{ found: boolean }>`
    select to_regclass('public.kysely_migration') is not null as found`.execute(trx);
  if (!found?.found) return [];
  const { rows } = await sql<{ name: string }>`select name from public.kysely_migration`.execute(trx);
  return rows.map(({ name }) => name);
}

function toSteps(numbered: Record<string, string>) {
  return Object.fromEntries(
    Object.entries(numbered).map(([name, text]) => [
      name,
      { up: async (db: Database) => void await sql.raw(text).execute(db) },
    ]),
  );
}

function explain(name: string) {
  return (error: unknown): never => {
    if (error instanceof Error && error.message.startsWith("Cannot migrate")) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot migrate ${name}: ${reason}`, { cause: error });
  };
}

/**
 * Lets the run-time roles log in with the passwords of their URLs. A URL of another user, or without a
 * password, is left alone. Some poolers want the project after the user's name: `cqrs_query.project`.
 * @see migrations/roles.sql
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
