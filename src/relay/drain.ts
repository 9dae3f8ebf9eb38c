import { getLogger } from "@logtape/logtape";
import type { Database } from "../database/database.ts";
import { DatabaseUnavailable, isConnectionLost } from "../errors.ts";
import { sleep } from "../sleep.ts";
import type { RecordedEvent } from "../write/event.ts";
import { numberEvents, type Outlook, recordFailure } from "./checkpoint.ts";
import { listEvents } from "./log.ts";
import type { Subscription } from "./subscription.ts";
import { sweepIdempotencyKeys } from "./sweep.ts";

export interface Relay {
  db: Database;
  subscriptions: Subscription[];
  /** How long to hold events back, to make the lag of the read models visible. Usually 0. */
  delayMs: number;
  /** Ends that delay early. */
  stopping?: AbortSignal;
}

export interface Drained {
  /** How many events were handled, each counted once for every subscription. */
  handled: number;
  /** Whether something is left: it did not fit, is not due yet, failed, or is in another relay's hands. */
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
    if (batch.handled > 0 && performance.now() < deadline) continue;
    await sweepIdempotencyKeys(relay.db);
    return { handled, more: batch.more };
  }
}

/**
 * Numbers what is in the outbox, then gives every subscription its next batch, all at the same time. Any number
 * of relays may do so at once. A subscription that fails rests for a while; the others go on.
 */
export async function drainBatch(relay: Relay, batchMax = BATCH_EVENTS_MAX): Promise<Drained> {
  const outlook = await numberEvents(relay.db, batchMax);
  const behind = subscriptionsBehind(relay.subscriptions, outlook);
  const due = behind.filter(({ isDue }) => isDue);
  if (due.length > 0 && relay.delayMs > 0) await sleep(relay.delayMs, relay.stopping);

  const eventsAfter = createReader(relay.db, batchMax);
  const counts = await Promise.all(
    due.map(async ({ subscription, position }) =>
      await handOut(relay.db, subscription, position, await eventsAfter(position))
    ),
  );
  const handled = counts.reduce((sum, count) => sum + count, 0);
  const lags = behind.map(({ position }) => outlook.lastPosition - position);
  const left = lags.reduce((sum, lag) => sum + lag, 0) - handled;
  return { handled, more: left > 0 || lags.some((lag) => lag >= batchMax) };
}

/** The subscriptions that have not handled every event, and how far they have come. */
function subscriptionsBehind(subscriptions: Subscription[], { checkpoints, lastPosition }: Outlook) {
  return subscriptions.flatMap((subscription) => {
    const checkpoint = checkpoints.find((checkpoint) => checkpoint.subscription === subscription.name);
    if (!checkpoint) {
      logger.error("Cannot find the checkpoint of {name}: a migration has to add it", {
        name: subscription.name,
      });
      return [];
    }
    const { position, isDue } = checkpoint;
    return position < lastPosition ? [{ subscription, position, isDue }] : [];
  });
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
  const startedAt = performance.now();
  try {
    return await subscription.handle(db, { from, to, events }) ? events.length : 0;
  } catch (error) {
    if (isConnectionLost(error) || error instanceof DatabaseUnavailable) throw error;
    const { name } = subscription;
    const { message } = error as Error;
    logger.error("Cannot handle events {from} to {to} for {name}: {message}", {
      from: from + 1,
      to,
      name,
      message,
    });
    await recordFailure(db, name, from, message, performance.now() - startedAt);
    return 0;
  }
}
