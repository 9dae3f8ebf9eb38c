import { CompiledQuery } from "kysely";
import { openDriver } from "./driver.ts";
import { send } from "./send.ts";

const ASK_MS_MAX = 5_000;
/** PostgreSQL shows the beginning of a statement only. */
const PREFIX = 200;

/**
 * Returns true if the server works on a statement with the given text for the same role; false also when the
 * server cannot be reached. Asks through a new connection: the connection of a statement that takes minutes
 * may be lost without a sign. Compares texts, because behind a pooler the client does not know its session.
 */
export async function isStatementRunning(url: string, text: string): Promise<boolean> {
  const sql = openDriver(url, { max: 1, connect_timeout: ASK_MS_MAX / 1_000 });
  const question = CompiledQuery.raw(IS_RUNNING, [PREFIX, text]);
  try {
    const [row] = await send(sql, question, { prepare: false, deadlineMs: ASK_MS_MAX });
    return row?.running ?? false;
  } catch {
    return false;
  } finally {
    void sql.end({ timeout: 1 });
  }
}

const IS_RUNNING = `
  select exists (
    select from pg_stat_activity where usename = current_user and datname = current_database() and state = 'active'
      and pid <> pg_backend_pid() and left(query, $1) = left($2, $1)
  ) as running`;
