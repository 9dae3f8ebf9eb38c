import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import { CheckpointBeyondLog, isDatabaseError } from "../errors.ts";
import type { RecordedEvent } from "../write/event.ts";
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
  /** All events after the given position; none without a position, and none when there are too many. */
  events: RecordedEvent[];
}

/** A handler to look for. */
export interface LookedFor {
  name: string;
  types: string[];
  /** No lane has become due before; null when unknown. */
  since: Date | null;
}

/**
 * Gives at most `maxEvents` visible events of the outbox the next positions, and returns the work to do: a single
 * round trip, and nothing written when the outbox is empty. Returns the events after a position, too, if few.
 *
 * @throws {CheckpointBeyondLog} If a checkpoint is beyond the log, as after a restore: run `npm run rewind`.
 * @see migrations/0013_looking.sql
 * @see docs/decisions/0003-numbering.md
 */
export async function numberEvents(
  db: Database,
  maxEvents: number,
  handlers: LookedFor[] = [],
  after: number | null = null,
): Promise<Outlook> {
  const call = sql<Found>`relay.look(${maxEvents}, ${after}, ${JSON.stringify(handlers)}::text::jsonb)`;
  try {
    const { found } = await db.selectNoFrom(call.as("found")).executeTakeFirstOrThrow();
    return {
      lastPosition: found.lastPosition,
      now: new Date(found.now),
      checkpoints: found.checkpoints ?? [],
      lanes: found.lanes ?? [],
      events: (found.events ?? []).map((event) => ({ ...event, recordedAt: new Date(event.recordedAt) })),
    };
  } catch (error) {
    if (!isDatabaseError(error) || error.code !== "CQ004") throw error;
    throw new CheckpointBeyondLog(`${error.message} If so, run "npm run rewind"`, { cause: error });
  }
}

/** The outlook as JSON. */
interface Found extends Pick<Outlook, "lastPosition"> {
  now: string;
  checkpoints: Outlook["checkpoints"] | null;
  lanes: Outlook["lanes"] | null;
  events: (Omit<RecordedEvent, "recordedAt"> & { recordedAt: string })[] | null;
}
