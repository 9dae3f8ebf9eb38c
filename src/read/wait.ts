import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import { EventParked, ReadModelBehind } from "../errors.ts";
import { sleep } from "../sleep.ts";

/** The progress of a read model with the event of a token; null when behind or without a position. */
export type Progress = "reached" | "behind" | "given up" | null;

/** A reader who waits until a read model has reached an event. The times are of `performance.now`. */
interface Reader {
  model: string;
  eventId: string;
  since: number;
  until: number;
  /** The time of the next look. */
  dueAt: number;
  end(error?: unknown): void;
}

const WAITING_MAX = 1_000;
const TICK_MS = 2;
const LONGEST_PAUSE_MS = 500;
/** A pause is an eighth of the wait up to now: whoever waits long is looked after less often. */
const PACE = 1 / 8;

/** The readers of the process on each database. */
const readersOn = new WeakMap<Database, Set<Reader>>();

/** The progress of the read model `freshness` with the event at `log`. */
export const progressIn = sql<Progress>`coalesce(
  (select case when is_given_up then 'given up' else 'behind' end from read.missing
    where missing.read_model = freshness.read_model and missing.position = log.position),
  case when log.position <= freshness.reached then 'reached' end)`;

/** Returns whether the event of a token is in the answer. @throws {EventParked} If no wait would help. */
export function hasReached(progress: Progress | undefined, model: string): boolean {
  if (progress !== "given up") return progress === "reached";
  throw new EventParked(`Cannot answer: the event of the token was given up for ${model}, see /ops/parked`);
}

/**
 * Waits until the read model has reached the event, without reading rows meanwhile. All who wait on a database share the
 * looks, which take a single connection: anybody can make up events that will never come.
 * @throws {ReadModelBehind} If the time is over, or if too many wait.
 * @throws {EventParked} If the event was given up for the read model.
 */
export async function waitFor(db: Database, model: string, eventId: string, waitMs: number): Promise<void> {
  if (waitMs <= 0) throw behind(model);
  const readers = readersOn.get(db) ?? new Set();
  readersOn.set(db, readers);
  if (readers.size >= WAITING_MAX) throw new ReadModelBehind(`Cannot wait: ${WAITING_MAX} others do`);
  const since = performance.now();
  await new Promise<void>((resolve, reject) => {
    const end = (error?: unknown) => error === undefined ? resolve() : reject(error);
    readers.add({ model, eventId, since, until: since + waitMs, dueAt: since, end });
    if (readers.size === 1) void look(db, readers);
  });
}

/** Looks for those who are due, until nobody waits. */
async function look(db: Database, readers: Set<Reader>): Promise<void> {
  while (readers.size > 0) {
    await sleep(TICK_MS);
    const now = performance.now();
    const due = [...readers].filter(({ dueAt }) => dueAt <= now);
    if (due.length === 0) continue;
    const progress = await listProgress(db, due).catch((error: unknown) => ({ error }));
    for (const [place, reader] of due.entries()) {
      try {
        if ("error" in progress) throw progress.error;
        if (!hasReached(progress[place]!, reader.model) && putOff(reader)) continue;
        reader.end();
      } catch (error) {
        reader.end(error);
      }
      readers.delete(reader);
    }
  }
}

/** Sets the time of the next look, and returns true. @throws {ReadModelBehind} If the time is over. */
function putOff(reader: Reader): true {
  const now = performance.now();
  if (now >= reader.until) throw behind(reader.model);
  reader.dueAt = Math.min(reader.until, now + Math.min((now - reader.since) * PACE, LONGEST_PAUSE_MS));
  return true;
}

function behind(model: string): ReadModelBehind {
  return new ReadModelBehind(`Cannot answer yet: ${model} has not reached the event of the token`);
}

/** Returns the progress for each reader, in their order. */
async function listProgress(db: Database, readers: Reader[]): Promise<Progress[]> {
  const { rows } = await sql<{ progress: Progress }>`
    select ${progressIn} as progress
    from unnest(${readers.map(({ model }) => model)}::text[], ${
    readers.map(({ eventId }) => eventId)
  }::uuid[]) with ordinality as waiting (read_model, event_id, place)
    left join read.freshness using (read_model)
    left join read.positions as log using (event_id)
    order by place`.execute(db);
  return rows.map(({ progress }) => progress);
}
