import { randomBytes } from "node:crypto";
import postgres from "postgres";
import type { DatabaseUrls } from "../config.ts";
import { refuseDatabaseName } from "../migrate/names.ts";
import { verifierOf } from "../migrate/verifier.ts";

/**
 * Creates a database and an owner, if missing; the owner is no superuser. Returns the URLs of the owner and
 * of the three run-time roles, with a new password common to all. The migrations create the three roles.
 * @throws {Error} If the roles cannot be named after the database: use another name.
 */
export async function provision(adminUrl: string, database: string): Promise<DatabaseUrls> {
  refuseDatabaseName(database);
  const password = randomBytes(16).toString("hex");
  const owner = `${database}_owner`;
  const sql = postgres(adminUrl, { max: 1, fetch_types: false, onnotice: () => {} });
  try {
    const [exists] = await sql`select from pg_roles where rolname = ${owner}`;
    if (!exists) await sql`create role ${sql(owner)} login createrole`;
    await sql`alter role ${sql(owner)} password ${sql.unsafe(`'${await verifierOf(password)}'`)}`;
    const [created] = await sql`select from pg_database where datname = ${database}`;
    if (!created) await sql`create database ${sql(database)} owner ${sql(owner)}`;
  } finally {
    await sql.end();
  }
  const urlOf = (user: string) => {
    const [username, pathname] = [encodeURIComponent(user), `/${encodeURIComponent(database)}`];
    return Object.assign(new URL(adminUrl), { username, password, pathname }).href;
  };
  return {
    owner: urlOf(owner),
    command: urlOf(`${database}_command`),
    query: urlOf(`${database}_query`),
    relay: urlOf(`${database}_relay`),
    direct: urlOf(`${database}_relay`),
  };
}
