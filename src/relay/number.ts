import { sql } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/postgres";
import type { Database } from "../database/database.ts";
import { CheckpointBeyondLog, isDatabaseError } from "../errors.ts";
import type { OpenState } from "./handlers/lane.ts";

/** The work to do. */
export interface Outlook {
  lastPosition: number;
  /** The time of the look, by the clock of the database. */
  now: Date;
  checkpoints: {
    /** The name of the subscription. */
    name: string;
    position: number;
    /** False when the subscription rests. */
    isDue: boolean;
    /** The positions of events set aside and due, at most 100. */
    setAside: number[];
  }[];
  lanes: {
    /** The name of the handler. */
    name: string;
    /** False while newer programs react to other types of events. */
    isNewest: boolean;
    /** The states with a lane to take; `in hand` for a lease that has run out. */
    dueStates: (OpenState | "in hand")[];
    /** True when any lane is open: in hand, left, failed or lost, but not parked. */
    isOpen: boolean;
  }[];
}

/** A handler to look for. */
export interface LookedFor {
  name: string;
  types: string[];
  /** No lane has become due before; null when unknown. */
  since: Date | null;
}

/**
 * Gives at most `maxEvents` visible events of the outbox the next positions, and returns all checkpoints: a
 * single round trip, and nothing written when the outbox is empty.
 *
 * @throws {CheckpointBeyondLog} If a checkpoint is beyond the log, as after a restore: run `npm run rewind`.
 * @see migrations/0003_numbering.sql
 * @see docs/decisions/0003-numbering.md
 */
export async function numberEvents(
  db: Database,
  maxEvents: number,
  handlers: LookedFor[] = [],
): Promise<Outlook> {
  try {
    const { lanes, ...outlook } = await db.selectNoFrom((eb) => [
      sql<number>`relay.number_events(${maxEvents})`.as("lastPosition"),
      sql<Date>`clock_timestamp()`.as("now"),
      jsonArrayFrom(
        eb.selectFrom("relay.checkpoints").select([
          "subscription as name",
          "position",
          // Before the beginning of a rest, the clock was set back.
          sql<boolean>`clock_timestamp() not between rests_from and rests_until`.as("isDue"),
          sql<number[]>`relay.due_set_aside(subscription)`.as("setAside"),
        ]),
      ).as("checkpoints"),
      sql<Outlook["lanes"] | null>`relay.look_for_lanes(${JSON.stringify(handlers)}::text::jsonb)`.as(
        "lanes",
      ),
    ]).executeTakeFirstOrThrow();
    return { ...outlook, lanes: lanes ?? [] };
  } catch (error) {
    if (!isDatabaseError(error) || error.code !== "CQ004") throw error;
    throw new CheckpointBeyondLog(`${error.message} If so, run "npm run rewind"`, { cause: error });
  }
}
