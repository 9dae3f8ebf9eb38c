import { getLogger } from "@logtape/logtape";
import type { Database } from "../database/database.ts";
import { isDatabaseError } from "../errors.ts";
import { sleep } from "../sleep.ts";
import type { RecordedEvent } from "../write/event.ts";
import { numberEvents, type Outlook, recordFailure } from "./checkpoint.ts";
import { listEvents } from "./log.ts";
import type { Subscription } from "./subscription.ts";

export interface Relay {
  db: Database;
  subscriptions: Subscription[];
  /** How long to hold events back, to make the lag of the read models visible. Usually 0. */
  delayMs: number;
}

export interface Drained {
  /** How many events were handled, each counted once for every subscription. */
  handled: number;
  /** Whether there may be more to do than fits in a batch. */
  more: boolean;
}

export const BATCH_EVENTS_MAX = 1_000;

const logger = getLogger(["cqrs", "relay"]);

/**
 * Drains until nothing is left or the time is up: for whoever has no relay that runs all the time.
 * @throws {CheckpointBeyondLog} If the database is an older copy than its checkpoints.
 */
export async function drain(relay: Relay, deadlineMs: number, batchMax = BATCH_EVENTS_MAX): Promise<Drained> {
  const deadline = performance.now() + deadlineMs;
  let handled = 0;
  for (;;) {
    const batch = await drainBatch(relay, batchMax);
    handled += batch.handled;
    if (batch.handled === 0 || performance.now() >= deadline) return { handled, more: batch.more };
  }
}

/**
 * Numbers what is in the outbox, then gives every subscription its next batch, all at the same time. Any number
 * of relays may do so at once. A subscription that fails is left for a second; the others go on.
 */
export async function drainBatch(relay: Relay, batchMax = BATCH_EVENTS_MAX): Promise<Drained> {
  const outlook = await numberEvents(relay.db, batchMax);
  const last = outlook.lastPosition;

  const behind = relay.subscriptions
    .map((subscription) => ({ subscription, from: checkpointOf(subscription, outlook) }))
    .filter(({ from }) => from !== undefined && from < last) as {
      subscription: Subscription;
      from: number;
    }[];
  if (behind.length > 0 && relay.delayMs > 0) await sleep(relay.delayMs);

  const eventsAfter = createReader(relay.db, batchMax);
  const counts = await Promise.all(behind.map(async ({ subscription, from }) => {
    const events = await eventsAfter(from);
    return await handOut(relay.db, subscription, from, events);
  }));
  const more = behind.some(({ from }) => last - from >= batchMax);
  return { handled: counts.reduce((sum, count) => sum + count, 0), more };
}

/** Where a subscription stands; undefined when it is not due yet. */
function checkpointOf({ name }: Subscription, { checkpoints }: Outlook): number | undefined {
  const checkpoint = checkpoints.find(({ subscription }) => subscription === name);
  if (!checkpoint) throw new Error(`Cannot find the checkpoint of ${name}: add it in a migration`);
  return checkpoint.isDue ? checkpoint.position : undefined;
}

/** Subscriptions mostly stand at the same place: they share what is read there. */
function createReader(db: Database, limit: number) {
  const pages = new Map<number, Promise<RecordedEvent[]>>();
  return (after: number) => {
    const page = pages.get(after) ?? listEvents(db, after, limit);
    pages.set(after, page);
    return page;
  };
}

async function handOut(db: Database, subscription: Subscription, from: number, events: RecordedEvent[]) {
  const to = events.at(-1)?.position;
  if (to === undefined) return 0;
  try {
    return await subscription.handle(db, { from, to, events }) ? events.length : 0;
  } catch (error) {
    if (!isDatabaseError(error)) throw error;
    logger.error("Cannot handle events {from} to {to} for {subscription}: {message}", {
      from: from + 1,
      to,
      subscription: subscription.name,
      message: error.message,
    });
    await recordFailure(db, subscription.name, error.message);
    return 0;
  }
}
