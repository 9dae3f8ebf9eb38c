import pMap from "p-map";
import type { Database } from "../../database/database.ts";
import type { RecordedEvent } from "../../write/event.ts";
import type { Batch, Subscription } from "../subscription.ts";
import { backoffMs, tryOnce } from "./attempt.ts";
import type { Handler } from "./handler.ts";
import {
  leaseBatch,
  type NewRetry,
  passBatch,
  renewBatch,
  sayEnd,
  settleBatch,
  whileRenewing,
} from "./lease.ts";
import { retryDue } from "./retries.ts";

/** Bounds the work lost, and repeated, when a relay dies. */
const BATCH_MAX = 100;
const STREAMS_AT_ONCE = 8;

/**
 * Returns the subscription of a handler. Every event is handled at least once, the events of a stream in
 * order; the checkpoint moves afterwards. An event whose handling failed becomes a retry; only the stream of
 * the event waits.
 * @see docs/decisions/0009-retries.md
 */
export function subscribeHandler(handler: Handler): Subscription {
  return {
    name: handler.name,
    kind: handler.kind,
    isReadModel: false,
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

  const retries = await whileRenewing(
    () => renewBatch(db, name, lease),
    (lost) => handleStreams(handler, events, new Set(lease.blocked), [lost, stopping]),
  );
  return await sayEnd(() => settleBatch(db, name, lease, retries));
}

/**
 * Returns the retries: failed events, events behind a retry of the same stream, and events left when the
 * lease was lost or the relay stopped.
 */
async function handleStreams(
  handler: Handler,
  events: RecordedEvent[],
  blocked: Set<string>,
  ends: (AbortSignal | undefined)[],
) {
  const streams = new Map<string, RecordedEvent[]>();
  for (const event of events) streams.set(event.stream, [...streams.get(event.stream) ?? [], event]);
  const retries = await pMap(
    streams,
    ([stream, events]) => blocked.has(stream) ? events.map(waiting) : handleStream(handler, events, ends),
    { concurrency: STREAMS_AT_ONCE },
  );
  return retries.flat();
}

async function handleStream(
  handler: Handler,
  events: RecordedEvent[],
  ends: (AbortSignal | undefined)[],
): Promise<NewRetry[]> {
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

/** Returns the retry of an event without a try until now. */
function waiting({ position, stream }: RecordedEvent): NewRetry {
  return { position, stream, attempts: 0, due_in_ms: 0, last_error: null };
}
