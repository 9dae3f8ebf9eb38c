import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { sql } from "kysely";
import { readSettings } from "../../src/compose.ts";
import { openDatabase } from "../../src/database/database.ts";
import { describeUnreached } from "../../src/process/unreached.ts";
import { useDatabase } from "../../src/process/use-database.ts";

/** A question about the connection: the same to psql and to the program. */
const WHERE = `
  select concat_ws(' ', 'as', current_user, current_database(), inet_server_addr(), inet_server_port(), current_setting('geqo'),
    (select ssl from pg_stat_ssl where pid = pg_backend_pid())) as answer`;

/** An answer, or the line of a refusal. */
export type Outcome = { answer: string } | { line: string };

/** Returns true if a program is installed. */
export async function isInstalled(program: string): Promise<boolean> {
  return await promisify(execFile)(program, ["--version"]).then(() => true, ({ code }) => code !== "ENOENT");
}

/**
 * Asks through psql, which finds nothing in the environment. A process connects to one URL after another, as far as
 * the first refusal: to start a process for each URL would take most of the time. `first` is a URL that works.
 */
export async function askPsql(programs: string, first: string, urls: string[]): Promise<Outcome[]> {
  if (urls.length === 0) return [];
  const MARK = "-- next --";
  const script = urls.map((url) => `\\echo '${MARK}'\n\\connect -reuse-previous=off '${url}'\n${WHERE};\n`);
  const command = `exec '${join(programs, "psql")}' --no-psqlrc --no-password -qAt -d '${first}' 2>&1`;
  const psql = spawn("sh", ["-c", command], { env: { PATH: process.env.PATH, LC_ALL: "C.UTF-8" } });
  psql.stdin.on("error", () => {}).end(script.join(""));
  const [, ...printed] = (await text(psql.stdout)).split(`${MARK}\n`);
  // A refused URL may leave the former connection, and its answer.
  const outcomes = printed.map((lines) =>
    lines.startsWith("as ") ? { answer: lines.trim() } : { line: lines.trim() }
  );
  if (outcomes.length === 0) throw new Error(`Cannot ask through psql: ${printed}`);
  return [...outcomes, ...await askPsql(programs, first, urls.slice(outcomes.length))];
}

/** Asks through a pool of the program, with `DATABASE_URL`. The line is that of a start. */
export async function askProgram(url: string): Promise<Outcome> {
  try {
    const settings = readSettings({ DATABASE_URL: url });
    const { urls } = await useDatabase(settings);
    const db = openDatabase(urls.command, { max: 1 });
    try {
      const { rows } = await sql.raw<{ answer: string }>(WHERE).execute(db);
      return { answer: rows[0]!.answer };
    } catch (error) {
      return { line: describeUnreached(error as Error, "DATABASE_URL", urls.command) };
    } finally {
      await db.destroy();
    }
  } catch (error) {
    return { line: (error as Error).message };
  }
}
