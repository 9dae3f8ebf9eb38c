import { sql } from "kysely";
import type { Database } from "../../database/database.ts";
import type { RecordedEvent } from "../../write/event.ts";
import type { Handler } from "./handler.ts";
import type { HeldLane, LaneResult, LeftLane, OpenState } from "./lane.ts";
import type { Wanted } from "./wanted.ts";

/** The events of a stream in a batch. */
export interface StreamWork {
  stream: string;
  first: number;
  last: number;
  /** The time of the first event. */
  since: Date;
}

export interface HandedOut {
  /** The hold of the new lanes. Null when refused: another relay was faster, or runs a newer program. */
  hold: number | null;
  /** The streams with an earlier lane: not held, but to be taken later. */
  waiting: string[] | null;
  /** The checkpoint. */
  position: number;
}

/** The most events of a lane for each hold: others wait for a place, too. */
export const LANE_EVENTS_MAX = 100;

/** Stands for every type. */
const EVERY = ["*"];

/** Returns the types of a handler as noted in the database: sorted, because sets are compared. */
export function typesOf({ types }: Handler): string[] {
  return types === undefined ? EVERY : [...types].toSorted();
}

/**
 * Moves a handler's checkpoint over a batch, and leases the streams with work to the caller.
 * @see migrations/0006_lanes.sql
 */
export async function handOut(
  db: Database,
  handler: Handler,
  { from, to, work }: { from: number; to: number; work: StreamWork[] },
): Promise<HandedOut> {
  const call = sql<HandedOut>`relay.hand_out(${handler.name}, ${typesOf(handler)}::text[], ${from}, ${to}, ${
    JSON.stringify(work)
  }::text::jsonb)`;
  return await db.selectFrom(call.as("handed")).selectAll().executeTakeFirstOrThrow();
}

interface TakenRow extends Omit<RecordedEvent, "recordedAt" | "schemaVersion"> {
  next_version: number;
  trying_to: number;
  attempts: number;
  was: OpenState;
  hold: number;
  schema_version: number;
  recorded_at: Date;
}

/**
 * Takes due lanes: at most the wanted number of each state. `events` has the types of newer programs, too.
 * @see migrations/0006_lanes.sql
 */
export async function takeLanes(
  db: Database,
  handler: Handler,
  wanted: Wanted,
  since: Date | null,
): Promise<HeldLane[]> {
  const from = since ?? sql`'-infinity'`;
  const call = sql<TakenRow>`relay.take_lanes(${handler.name}, ${typesOf(handler)}::text[], ${
    JSON.stringify(wanted)
  }::text::jsonb, ${from}::timestamptz, ${LANE_EVENTS_MAX})`;
  const rows = await db.selectFrom(call.as("taken")).selectAll().execute();
  const lanes = new Map<string, HeldLane>();
  for (const { stream, hold, attempts, was, next_version, trying_to, ...row } of rows) {
    const { recorded_at: recordedAt, schema_version: schemaVersion, ...event } = row;
    const lane = lanes.get(stream) ?? {
      ...{ subscription: handler.name, stream, hold, attempts, was },
      ...{ to: next_version - 1, tryingTo: trying_to, events: [], isLost: false },
    };
    lanes.set(stream, lane);
    // A lane without events of interest has a row without an event.
    if (event.id !== null) lane.events.push({ ...event, stream, recordedAt, schemaVersion });
  }
  return [...lanes.values()];
}

/** Stores results of held lanes. Returns the lanes with work left; a lost lane is missing. */
export async function settleLanes(db: Database, results: LaneResult[]): Promise<LeftLane[]> {
  const call = sql<LeftLane>`relay.settle_lanes(${JSON.stringify(results)}::text::jsonb)`;
  return await db.selectFrom(call.as("left")).selectAll().execute();
}

/** Marks the lanes of dead relays as lost. Returns the number of lost lanes. */
export async function reclaimLanes(db: Database, { name }: Handler, since: Date | null): Promise<number> {
  const call = sql<number>`relay.reclaim_lanes(${name}, ${since ?? sql`'-infinity'`}::timestamptz)`;
  const { number } = await db.selectNoFrom(call.as("number")).executeTakeFirstOrThrow();
  return number;
}

declare module "../../database/database.ts" {
  interface Tables {
    "relay.lanes": {
      subscription: string;
      stream: string;
      next_version: number;
      last_version: number;
      state: OpenState | "in hand" | "parked";
      due_at: Date;
      hold: number;
      trying_to: number | null;
      attempts: number;
      losses: number;
      suspect_to: number | null;
      waiting_since: Date;
      last_error: string | null;
    };
  }
}
