import { type Generated, sql } from "kysely";
import type { Database } from "../../database/database.ts";
import { withinDeadline } from "../../database/send.ts";
import { getLogger } from "../../logging.ts";

/** A relay that runs, and whether it is notified of new events; one that is not looks by itself, once a second. */
export interface Listener {
  id: string;
  listening: boolean;
  /** Since when it is so. */
  since: string;
  seenAt: string;
}

const SAY_EVERY_MS = 10_000;
/** A relay that was not seen for so long is taken for stopped, and forgotten after a while. */
const SILENT_SECONDS = 30;
const FORGET_SECONDS = 300;

const WRITE_MS_MAX = 4_000;

const logger = getLogger("cqrs.relay");

export interface Reporter {
  /** Writes it down if it has changed, or if it has not been said for ten seconds. Never fails: it will be said again. */
  say(listening: boolean): Promise<void>;
  leave(): Promise<void>;
}

/** Keeps the row that says whether this relay is notified: for operators, whichever API they ask. */
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

/** The relays that run, or ran a moment ago. */
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
