import pMap from "p-map";
import type { Database } from "../database/database.ts";
import type { RecordedEvent } from "../write/event.ts";
import { backoffMs, tryOnce } from "./attempt.ts";
import {
  leaseBatch,
  passBatch,
  renewBatch,
  sayEnd,
  type SetAside,
  settleBatch,
  whileRenewing,
} from "./lease.ts";
import { retryDue } from "./retries.ts";
import type { Batch, Subscription } from "./subscription.ts";

/** A subscription that runs TypeScript: a process manager, say, or one that sends events elsewhere. */
export interface Handler {
  /** The name of its checkpoint. */
  name: string;
  kind: string;
  /** Whether it wants to be told of the event. All, when left out. */
  concerns?(event: RecordedEvent): boolean;
  /**
   * Handles one event. The events of a stream come one after the other, those of different streams side by side. It
   * may be told of an event again, after a failure or because a relay died: what it does has to bear that.
   * `signal` aborts when its time is up: then it has failed.
   */
  handle(event: RecordedEvent, signal: AbortSignal): Promise<void>;
  /** How long it may take: 30 seconds when left out. */
  timeoutMs?: number;
  /** After how many failed tries an event is parked, two at least: 8 when left out. */
  attemptsMax?: number;
}

/** Bounds what is lost, and done again, when a relay dies. */
const BATCH_MAX = 100;
const STREAMS_AT_ONCE = 8;

/**
 * The subscription of a handler. Its events are handled at least once, those of a stream in order; the checkpoint
 * moves afterwards. An event that fails is set aside and tried again; meanwhile only its stream waits.
 * @see docs/decisions/0009-retries.md
 */
export function subscribe(handler: Handler): Subscription {
  return {
    name: handler.name,
    kind: handler.kind,
    batchMax: BATCH_MAX,
    handle: (db, batch, stopping) => handleBatch(db, handler, batch, stopping),
    retry: (db) => retryDue(db, handler),
  };
}

async function handleBatch(
  db: Database,
  handler: Handler,
  batch: Batch,
  stopping?: AbortSignal,
): Promise<boolean> {
  const { name, concerns = () => true } = handler;
  const events = batch.events.filter(concerns);
  if (events.length === 0 && await passBatch(db, name, batch)) return true;
  const lease = await leaseBatch(db, name, { ...batch, events });
  if (!lease) return false;
  if (lease.fence === null) return true;

  const setAside = await whileRenewing(
    () => renewBatch(db, name, lease),
    (lost) => handleStreams(handler, events, new Set(lease.blocked), [lost, stopping]),
  );
  return await sayEnd(() => settleBatch(db, name, lease, setAside));
}

/** Answers what is to be set aside: what fails, what waits behind that, and what there is no time for any more. */
async function handleStreams(
  handler: Handler,
  events: RecordedEvent[],
  blocked: Set<string>,
  ends: (AbortSignal | undefined)[],
) {
  const streams = new Map<string, RecordedEvent[]>();
  for (const event of events) streams.set(event.stream, [...streams.get(event.stream) ?? [], event]);
  const setAside = await pMap(
    streams,
    ([stream, events]) => blocked.has(stream) ? events.map(waiting) : handleStream(handler, events, ends),
    { concurrency: STREAMS_AT_ONCE },
  );
  return setAside.flat();
}

async function handleStream(
  handler: Handler,
  events: RecordedEvent[],
  ends: (AbortSignal | undefined)[],
): Promise<SetAside[]> {
  for (const [place, event] of events.entries()) {
    if (ends.some((end) => end?.aborted)) return events.slice(place).map(waiting);
    const failure = await tryOnce(handler, event);
    if (!failure) continue;
    const attempts = failure.counts ? 1 : 0;
    const failed = {
      ...waiting(event),
      attempts,
      due_in_ms: backoffMs(attempts),
      last_error: failure.message,
    };
    return [failed, ...events.slice(place + 1).map(waiting)];
  }
  return [];
}

/** What waits behind a failed event of its stream. */
function waiting({ position, stream }: RecordedEvent): SetAside {
  return { position, stream, attempts: 0, due_in_ms: 0, last_error: null };
}
