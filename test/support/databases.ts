import { randomBytes } from "node:crypto";
import postgres from "postgres";
import { afterAll } from "vitest";
import type { DatabaseUrls } from "../../src/config.ts";
import { type Database, type DatabaseOptions, openDatabase } from "../../src/database/database.ts";
import { provision } from "../../src/process/provision.ts";

export interface Databases {
  /** Creates an empty database with an owner; dropped after the file, with all roles of the same name. */
  create(name?: string): Promise<DatabaseUrls>;
  /** Has a database dropped that a test creates, and returns a free name. */
  name(prefix?: string): string;
  /** Runs statements as the superuser, in the database of a URL. */
  asAdmin(text: string, at?: string): Promise<postgres.Row[]>;
  /** Opens a pool, ended after the file. */
  open(url: string, options?: Partial<DatabaseOptions>): Database;
}

/** Returns a way to create databases for the tests of a file: unlike `useTestDatabase`, not migrated. */
export function useDatabases(adminUrl: () => string): Databases {
  const names = new Set<string>();
  const pools: Database[] = [];
  const asAdmin = async (text: string, at?: string) => {
    const { pathname } = new URL(at ?? adminUrl());
    const database = decodeURIComponent(pathname.slice(1));
    const sql = postgres(adminUrl(), { database, max: 1, fetch_types: false, onnotice: () => {} });
    try {
      return await sql.unsafe(text);
    } finally {
      await sql.end();
    }
  };
  const name = (prefix = "t") => {
    const free = `${prefix}_${randomBytes(5).toString("hex")}`;
    names.add(free);
    return free;
  };
  afterAll(async () => {
    await Promise.all(pools.map((pool) => pool.destroy()));
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    await Promise.all(
      [...names].map((database) => asAdmin(`drop database if exists ${quoted(database)} with (force)`)),
    );
    const roles = [...names].flatMap((one) =>
      ["command", "query", "relay", "owner"].map((role) => quoted(`${one}_${role}`))
    );
    if (roles.length > 0) await asAdmin(`drop role if exists ${roles.join(", ")}`);
  });
  return {
    asAdmin,
    name,
    create: async (given = name()) => {
      names.add(given);
      return await provision(adminUrl(), given);
    },
    open(url, options = {}) {
      const db = openDatabase(url, { max: 1, ...options });
      pools.push(db);
      return db;
    },
  };
}
