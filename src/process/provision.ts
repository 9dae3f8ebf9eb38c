import { randomBytes } from "node:crypto";
import postgres from "postgres";
import type { DatabaseUrls } from "../config.ts";

/**
 * Creates a database, if there is none of that name, and a login that owns it without being a superuser. Answers
 * the URLs of the owner and of the three run-time roles, with new passwords; the migration makes those roles.
 */
export async function provision(adminUrl: string, database: string): Promise<DatabaseUrls> {
  const password = randomBytes(16).toString("hex");
  const owner = `${database}_owner`;
  const sql = postgres(adminUrl, { max: 1, fetch_types: false, onnotice: () => {} });
  try {
    const [exists] = await sql`select from pg_roles where rolname = ${owner}`;
    if (!exists) await sql`create role ${sql(owner)} login createrole`;
    await sql.unsafe(`alter role "${owner}" password '${password}'`);
    const [created] = await sql`select from pg_database where datname = ${database}`;
    if (!created) await sql`create database ${sql(database)} owner ${sql(owner)}`;
  } finally {
    await sql.end();
  }
  const urlOf = (user: string) => {
    const url = new URL(adminUrl);
    Object.assign(url, { username: user, password, pathname: `/${database}` });
    return url.href;
  };
  return {
    owner: urlOf(owner),
    command: urlOf(`${database}_command`),
    query: urlOf(`${database}_query`),
    relay: urlOf(`${database}_relay`),
    direct: urlOf(`${database}_relay`),
  };
}
