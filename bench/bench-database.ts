import { randomBytes } from "node:crypto";
import postgres from "postgres";
import type { DatabaseUrls } from "../src/config.ts";
import { migrateDatabase } from "../src/process/migrations.ts";
import { provision } from "../src/process/provision.ts";

export interface BenchDatabase {
  name: string;
  urls: DatabaseUrls;
  /** A connection of the owner, for preparing and looking. */
  owner: postgres.Sql;
  drop(): Promise<void>;
}

/** Creates a migrated database with a unique name. */
export async function createDatabase(adminUrl: string): Promise<BenchDatabase> {
  const name = `bench_${randomBytes(6).toString("hex")}`;
  const urls = await provision(adminUrl, name);
  const owner = open(urls.owner);
  const drop = async () => {
    await owner.end({ timeout: 1 });
    await dropDatabase(adminUrl, name);
  };
  try {
    await migrateDatabase(urls);
    return { name, urls, owner, drop };
  } catch (error) {
    await drop();
    throw error;
  }
}

async function dropDatabase(adminUrl: string, name: string): Promise<void> {
  const sql = open(adminUrl);
  try {
    await sql`drop database ${sql(name)} with (force)`;
    for (const role of ["command", "query", "relay", "owner"]) {
      await sql`drop role if exists ${sql(`${name}_${role}`)}`;
    }
  } finally {
    await sql.end();
  }
}

function open(url: string): postgres.Sql {
  return postgres(url, { max: 1, fetch_types: false, onnotice: () => {} });
}
