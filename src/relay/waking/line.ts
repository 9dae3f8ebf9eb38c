import { sql } from "kysely";
import type { Database } from "../../database/database.ts";
import { openDriver } from "../../database/driver.ts";
import { poolerOf } from "../../database/pooler.ts";
import { withinDeadline } from "../../database/send.ts";

const CONNECT_SECONDS_MAX = 5;
const PROBE_MS_MAX = 4_000;
const PROBE = "probe ";

/** A connection for notifications. */
export interface Line {
  /** Aborts together with the given signal, or when the driver notices a closed connection. */
  closed: AbortSignal;
  /** @throws {Error} If the connection is not open in time, or the URL leads to a pooler. */
  open(): Promise<void>;
  /**
   * Sends a notification through `db`, as writers do, and waits for the arrival. Returns false when nothing
   * was sent: see `relay.notify`.
   * @throws {Error} If the notification does not arrive in time, or the connection is closed.
   */
  probe(db: Database): Promise<boolean>;
  end(): void;
}

/**
 * Returns a line, still to be opened. Not `sql.listen`: the driver would connect again unseen, even after a
 * failed first connection.
 */
export function createLine(url: string, onWake: () => void, signal: AbortSignal): Line {
  const lost = new AbortController();
  const closed = AbortSignal.any([lost.signal, signal]);
  let onProbe = (_payload: string) => {};
  let onClosed = () => {};
  closed.addEventListener("abort", () => onClosed());
  const client = openDriver(url, {
    max: 1,
    connect_timeout: CONNECT_SECONDS_MAX,
    idle_timeout: 0,
    max_lifetime: null,
    onclose: () => lost.abort(new Error("the connection is closed")),
    ...onNotified((payload) => payload.startsWith(PROBE) ? onProbe(payload) : onWake()),
  });
  return {
    closed,
    async open() {
      // A `listen` would succeed, and leave a listening session to the next client of the pooler.
      if (poolerOf(url) !== "none") throw new Error("this is a pooler; set DATABASE_DIRECT_URL");
      await withinDeadline(client.unsafe("listen relay"), 1_000 * CONNECT_SECONDS_MAX);
    },
    async probe(db) {
      const payload = PROBE + crypto.randomUUID();
      const heard = new Promise<void>((resolve, reject) => {
        onProbe = (heard) => heard === payload && resolve();
        onClosed = () => reject(closed.reason as Error);
      });
      heard.catch(() => {});
      closed.throwIfAborted();
      return await withinDeadline(sendAndHear(db, payload, heard), PROBE_MS_MAX);
    },
    // Not awaited: the other side of a half-open connection never confirms the end.
    end: () => void client.end({ timeout: 1 }),
  };
}

async function sendAndHear(db: Database, payload: string, heard: Promise<void>): Promise<boolean> {
  const { sent } = await db.selectNoFrom(sql<boolean>`relay.notify(${payload})`.as("sent"))
    .executeTakeFirstOrThrow();
  if (sent) await heard;
  return sent;
}

/** Returns an option known to the driver, but missing in the driver's types. */
function onNotified(tell: (payload: string) => void) {
  return { onnotify: (_channel: string, payload: string) => tell(payload) };
}
