import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { sql } from "kysely";
import postgres from "postgres";
import { afterAll, beforeAll, inject } from "vitest";
import type { DatabaseUrls } from "../../src/config.ts";
import { type Database, type DatabaseOptions, openDatabase } from "../../src/database/database.ts";
import { openDriver } from "../../src/database/driver.ts";
import { poolerOf } from "../../src/database/pooler.ts";
import { migrateDatabase } from "../../src/process/migrations.ts";
import { provision } from "../../src/process/provision.ts";
import { pooled } from "./pooler.ts";

type Role = "owner" | "command" | "query" | "relay";

export interface TestDatabaseOptions {
  /** The URL of another server's superuser. */
  adminUrl?: () => string;
  /** Adds the tables and read models of `test/jars`. */
  jars?: boolean;
  /** More words for `create database`, for example a locale. */
  properties?: string;
}

export interface TestDatabase {
  name: string;
  urls: DatabaseUrls;
  /** The pool of each role, opened at the first use. */
  owner: Database;
  command: Database;
  query: Database;
  relay: Database;
  /** Opens another connection pool, ended after the tests of the file. */
  open(url: string, options?: Partial<DatabaseOptions>): Database;
  /** Opens the driver itself, for tests with an open transaction or without Kysely. */
  driver(url: string, options?: postgres.Options<Record<string, never>>): postgres.Sql;
}

/**
 * Creates a migrated database for a test file, with the four logins; dropped after the file.
 * The run's pooler, if any, is in front, except with a given server (`adminUrl`).
 */
export function useTestDatabase(
  { adminUrl: given, jars = false, properties }: TestDatabaseOptions = {},
): TestDatabase {
  const adminUrl = given ?? (() => inject("adminUrl"));
  const pooler = given ? undefined : inject("pooler");
  const name = `t_${randomBytes(6).toString("hex")}`;
  const ends: (() => Promise<void>)[] = [];
  const opened = new Map<Role, Database>();
  let urls: DatabaseUrls;

  const open = (url: string, options: Partial<DatabaseOptions> = {}) => {
    const db = openDatabase(url, { max: 10, ...options });
    ends.push(() => db.destroy());
    return db;
  };
  const pool = (role: Role) => {
    const db = opened.get(role) ?? open(urls[role]);
    opened.set(role, db);
    return db;
  };

  beforeAll(async () => {
    urls = await provision(adminUrl(), name);
    if (properties) await createAnew(adminUrl(), name, properties);
    await migrateDatabase(urls);
    if (jars) await addJars(urls.owner);
    if (pooler) urls = pooled(urls, pooler);
  });
  afterAll(async () => {
    await Promise.all(ends.map((end) => end()));
    await dropDatabase(adminUrl(), name);
  });

  return {
    name,
    open,
    get urls() {
      return urls;
    },
    get owner() {
      return pool("owner");
    },
    get command() {
      return pool("command");
    },
    get query() {
      return pool("query");
    },
    get relay() {
      return pool("relay");
    },
    driver(url, options = {}) {
      const prepare = poolerOf(url) !== "transaction";
      const sql = openDriver(url, { max: 1, prepare, ...options });
      ends.push(() => sql.end({ timeout: 1 }));
      return sql;
    },
  };
}

async function addJars(url: string): Promise<void> {
  const owner = openDatabase(url, { max: 1 });
  await sql.raw(await readFile(new URL("../jars/jars.sql", import.meta.url), "utf8")).execute(owner);
  await owner.destroy();
}

/** Creates a provisioned database anew, empty and with other properties. */
export async function createAnew(adminUrl: string, name: string, properties: string): Promise<void> {
  const sql = postgres(adminUrl, { max: 1, fetch_types: false, onnotice: () => {} });
  await sql.unsafe(`drop database "${name}"`);
  await sql.unsafe(`create database "${name}" owner "${name}_owner" template template0 ${properties}`);
  await sql.end();
}

export async function dropDatabase(adminUrl: string, name: string): Promise<void> {
  const sql = postgres(adminUrl, { max: 1, fetch_types: false, onnotice: () => {} });
  await sql`drop database ${sql(name)} with (force)`;
  for (const role of ["command", "query", "relay", "owner"]) {
    await sql`drop role if exists ${sql(`${name}_${role}`)}`;
  }
  await sql.end();
}
