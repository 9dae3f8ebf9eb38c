import { getLogger } from "@logtape/logtape";
import postgres from "postgres";

const logger = getLogger(["cqrs", "relay"]);

/**
 * Calls back when a writer has woken the relay, and whenever the connection is (again) made: what was sent
 * while there was none is lost. Never fails: without notifications, the relay polls.
 */
export function listen(url: string, onWake: () => void): { close(): Promise<void> } {
  const sql = postgres(url, { max: 1, fetch_types: false, connect_timeout: 5, onnotice: () => {} });
  let closing = false;
  sql.listen("relay", onWake, onWake).catch((error: Error) => {
    if (!closing) logger.warn("Cannot listen yet, polling instead: {message}", { message: error.message });
  });
  return {
    close() {
      closing = true;
      return sql.end({ timeout: 1 });
    },
  };
}
