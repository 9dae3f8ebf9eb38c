import { sql } from "kysely";
import postgres from "postgres";
import type { Database } from "../../database/database.ts";
import { poolerOf, toDriverUrl } from "../../database/pooler.ts";
import { withinDeadline } from "../../database/send.ts";

const CONNECT_SECONDS_MAX = 5;
const PROBE_MS_MAX = 4_000;
const PROBE = "probe ";

/** One connection that notifications may come through. */
export interface Line {
  /** Aborts when the connection is closed, as far as that can be seen from here, or the signal does. */
  closed: AbortSignal;
  /** @throws {Error} If there is no connection in time, or the URL is that of a pooler. */
  open(): Promise<void>;
  /**
   * Sends a notification from where writers do, and waits to hear it. False when it was not sent: see `relay.notify`.
   * @throws {Error} If it is not heard in time.
   */
  probe(db: Database): Promise<boolean>;
  end(): void;
}

/** Not `sql.listen`: it connects again by itself, and a first failure would go on behind its back. */
export function createLine(url: string, onWake: () => void, signal: AbortSignal): Line {
  const lost = new AbortController();
  const closed = AbortSignal.any([lost.signal, signal]);
  let onProbe = (_payload: string) => {};
  let onClosed = () => {};
  closed.addEventListener("abort", () => onClosed());
  const client = postgres(toDriverUrl(url), {
    max: 1,
    fetch_types: false,
    connect_timeout: CONNECT_SECONDS_MAX,
    idle_timeout: 0,
    max_lifetime: null,
    onnotice: () => {},
    onclose: () => lost.abort(new Error("the connection is closed")),
    ...onNotified((payload) => payload.startsWith(PROBE) ? onProbe(payload) : onWake()),
  });
  return {
    closed,
    async open() {
      // It would work, and leave a session that listens to whoever is given it next.
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
    // Nobody waits for it: the other side of a half-open connection never says goodbye.
    end: () => void client.end({ timeout: 1 }),
  };
}

async function sendAndHear(db: Database, payload: string, heard: Promise<void>): Promise<boolean> {
  const { sent } = await db.selectNoFrom(sql<boolean>`relay.notify(${payload})`.as("sent"))
    .executeTakeFirstOrThrow();
  if (sent) await heard;
  return sent;
}

/** The driver knows this option, its types do not. */
function onNotified(tell: (payload: string) => void) {
  return { onnotify: (_channel: string, payload: string) => tell(payload) };
}
