import { type Generated, sql } from "kysely";
import type { Database } from "../../database/database.ts";
import { withinDeadline } from "../../database/send.ts";
import { getLogger } from "../../logging.ts";

/** A running relay. A listening relay is notified of new events; without notifications, a relay polls. */
export interface Listener {
  id: string;
  listening: boolean;
  /** The time of the last reported change of `listening`. */
  since: string;
  seenAt: string;
}

const SAY_EVERY_MS = 10_000;
/** A relay silent for longer is taken for stopped, and forgotten after `FORGET_SECONDS`. */
const SILENT_SECONDS = 30;
const FORGET_SECONDS = 300;

const WRITE_MS_MAX = 4_000;

const logger = getLogger("cqrs.relay");

export interface Reporter {
  /** Writes a changed value at once, others every ten seconds. Never fails: the next call tries again. */
  say(listening: boolean): Promise<void>;
  leave(): Promise<void>;
}

/** Returns a reporter for a row in `relay.listeners`: operators see the relay through any API. */
export function reportListener(db: Database): Reporter {
  const id = crypto.randomUUID();
  let said: boolean | undefined;
  let sayAt = -Infinity;
  return {
    async say(listening) {
      if (listening === said && performance.now() < sayAt) return;
      if (!await hasWritten(writeListener(db, id, listening))) return;
      said = listening;
      sayAt = performance.now() + SAY_EVERY_MS;
    },
    async leave() {
      await hasWritten(db.deleteFrom("relay.listeners").where("id", "=", id).execute());
    },
  };
}

async function hasWritten(written: Promise<unknown>): Promise<boolean> {
  try {
    await withinDeadline(written, WRITE_MS_MAX);
    return true;
  } catch (error) {
    logger.debug("Cannot write down whether notifications arrive: {message}", {
      message: (error as Error).message,
    });
    return false;
  }
}

async function writeListener(db: Database, id: string, listening: boolean): Promise<void> {
  await db
    .with(
      "forgotten",
      (db) =>
        db.deleteFrom("relay.listeners").where("seen_at", "<", ago(FORGET_SECONDS)).where("id", "<>", id),
    )
    .insertInto("relay.listeners").values({ id, listening })
    .onConflict((conflict) =>
      conflict.column("id").doUpdateSet({
        listening,
        since: sql`case when listeners.listening = excluded.listening then listeners.since else now() end`,
        seen_at: sql`now()`,
      })
    )
    .execute();
}

/** Returns the running and recently stopped relays, by id. */
export async function listListeners(db: Database): Promise<Listener[]> {
  const rows = await db.selectFrom("relay.listeners").select(["id", "since", "seen_at as seenAt"])
    .select(sql<boolean>`listening and seen_at > ${ago(SILENT_SECONDS)}`.as("listening"))
    .orderBy("id").execute();
  return rows.map(({ id, listening, since, seenAt }) => ({
    id,
    listening,
    since: since.toISOString(),
    seenAt: seenAt.toISOString(),
  }));
}

function ago(seconds: number) {
  return sql<Date>`now() - ${seconds} * interval '1 second'`;
}

declare module "../../database/database.ts" {
  interface Tables {
    "relay.listeners": {
      id: string;
      listening: boolean;
      since: Generated<Date>;
      seen_at: Generated<Date>;
    };
  }
}
