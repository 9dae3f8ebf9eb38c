import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import type { Applied } from "./pending.ts";

/**
 * Returns the applied migrations, in order; none for an empty database.
 * @throws {Error} If the schemas come from an early version, which no migration leads on from.
 */
export async function listApplied(owner: Database): Promise<Applied[]> {
  const { rows: [found] } = await sql<{ applied: boolean; early: boolean }>`
    select to_regclass('migrations.applied') is not null as applied, to_regclass('write.events') is not null as early`
    .execute(owner);
  if (found?.applied) {
    const { rows } = await sql<Applied>`select name, checksum from migrations.applied order by name`
      .execute(owner);
    return rows;
  }
  if (!found?.early) return [];
  throw new Error(
    "Cannot migrate: the database was made by an early version of this project (it has write.events and no " +
      "migrations.applied), which no migration leads on from; use an empty database, or set DATA_DIR to a new folder",
  );
}

/** Creates the table of the applied migrations, if missing, in a schema that no other program uses. */
export async function prepare(trx: Database): Promise<void> {
  await sql.raw(`
    do $$
    begin
      if to_regnamespace('migrations') is null then
        create schema migrations;
      end if;
      if to_regclass('migrations.applied') is null then
        create table migrations.applied (
          name text primary key,
          checksum text,
          applied_at timestamptz not null default now()
        );
        comment on column migrations.applied.checksum is
          'SHA-256 of the file. Null: an edit of the file was accepted, and the next migrate stores the new checksum';
      end if;
    end;
    $$`).execute(trx);
}

/** Records an applied migration, or the checksum of an accepted edit. */
export async function note(db: Database, name: string, checksum: string): Promise<void> {
  await sql`
    insert into migrations.applied (name, checksum) values (${name}, ${checksum})
    on conflict (name) do update set checksum = excluded.checksum`.execute(db);
}

/** Returns the migrations with an accepted edit: the owner of the database has emptied the checksum. */
export async function listAccepted(db: Database): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from migrations.applied where checksum is null`
    .execute(db);
  return rows.map(({ name }) => name);
}
