import { sql } from "kysely";
import { beforeAll } from "vitest";
import type { Database } from "../../src/database/database.ts";
import type { TestDatabase } from "./database.ts";

/** Makes a table for the traces of statements. Returns a function that deletes all notes and returns the sorted texts. */
export function useNotes(test: TestDatabase): () => Promise<string[]> {
  beforeAll(async () => {
    await sql`create table public.notes (text text)`.execute(test.owner);
  });
  return async () => {
    const { rows } = await sql<{ text: string }>`delete from public.notes returning text`.execute(test.owner);
    return rows.map(({ text }) => text).sort();
  };
}

/** Writes a note. */
export function note(db: Database, text: string) {
  return sql`insert into public.notes values (${text})`.execute(db);
}

/** Returns the process id of the backend. */
export async function pidOf(db: Database): Promise<number> {
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
  return rows[0]!.pid;
}

/** Ends a backend, and waits for its end. */
export async function terminate(owner: Database, pid: number): Promise<void> {
  await sql`select pg_terminate_backend(${pid}, 5000)`.execute(owner);
}
