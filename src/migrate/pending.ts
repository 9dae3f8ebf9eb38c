import type { Migrations } from "./migrations.ts";

/** A numbered migration that the database lacks. */
export interface Pending {
  name: string;
  text: string;
  /** True for a file that begins with `-- no-transaction`: a single statement, outside any transaction. */
  isAlone: boolean;
  checksum: string;
}

/** A migration of the database. The checksum is null if the owner of the database has accepted an edit. */
export interface Applied {
  name: string;
  checksum: string | null;
}

/** Returns the SHA-256 of a migration's text; the line ends of Windows make no difference. */
export async function checksumOf(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text.replaceAll("\r\n", "\n"));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Returns the migrations that are not in `applied`, in order. @throws {Error} If a file is no migration. */
export async function listPending(
  { numbered }: Pick<Migrations, "numbered">,
  applied: Applied[],
): Promise<Pending[]> {
  const names = Object.keys(numbered).filter((name) => applied.every((one) => one.name !== name)).sort();
  return await Promise.all(names.map(async (name) => {
    const text = numbered[name]!;
    const isAlone = /^-- no-transaction\b/.test(text);
    if (isAlone) refuseSeveral(name, text);
    return { name, text, isAlone, checksum: await checksumOf(text) };
  }));
}

/**
 * Compares the applied migrations with the files.
 * @throws {Error} If a file was edited afterwards: the database has what the file said before.
 */
export async function refuseEdited(
  { numbered }: Pick<Migrations, "numbered">,
  applied: Applied[],
): Promise<void> {
  const edited = await listEdited(numbered, applied);
  if (edited.length === 0) return;
  throw new Error(
    `Cannot migrate: ${
      edited.join(", ")
    } was edited after it was applied; put the file back and write the change as ` +
      "a new migration; or, if the database is as the edit wants it, say so: " +
      edited.map((name) => `update migrations.applied set checksum = null where name = '${name}'`).join("; "),
  );
}

/** Returns the applied migrations with another text than the file. */
export async function listEdited(numbered: Record<string, string>, applied: Applied[]): Promise<string[]> {
  const edited = await Promise.all(applied.map(async ({ name, checksum }) => {
    const text = numbered[name];
    const isSame = checksum === null || text === undefined || await checksumOf(text) === checksum;
    return isSame ? [] : [name];
  }));
  return edited.flat();
}

const NO_CODE = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$|--[^\n]*|\/\*[\s\S]*?\*\//g;

/**
 * PostgreSQL would run several statements of a text in a transaction. A transaction left open would take in
 * the migrations that follow.
 */
function refuseSeveral(name: string, text: string): void {
  const code = text.replace(NO_CODE, (part) => /^(?:--|\/\*)/.test(part) ? " " : "''");
  const statements = code.split(";").map((statement) => statement.trim()).filter(Boolean);
  if (statements.length !== 1) {
    throw new Error(
      `Cannot migrate ${name}: a file with "-- no-transaction" has one statement, and ${name} has ${statements.length}`,
    );
  }
  if (/^(begin|start|commit|end|rollback|abort|savepoint|release|prepare)\b/i.test(statements[0]!)) {
    throw new Error(`Cannot migrate ${name}: a migration may not begin or end a transaction`);
  }
}
