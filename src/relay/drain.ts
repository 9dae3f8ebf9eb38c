import { sleep } from "../sleep.ts";
import { fireTimers } from "./handlers/timer.ts";
import { numberEvents } from "./number.ts";
import { ownSubscriptions, ownTimers, type Relay } from "./relay.ts";
import { createReader, listHandlers, listSubscribed, startHandlers } from "./start-work.ts";
import { startRefreshes } from "./start-refreshes.ts";
import { sweep } from "./sweep.ts";

export interface Drained {
  /** The number of handled events, each counted once for every subscription. */
  handled: number;
  /** True when events are left: beyond the batch, not due yet, failed, or taken by another relay. */
  more: boolean;
}

export const BATCH_EVENTS_MAX = 1_000;
/** The longest wait for read models. A slower read model goes on in the background, as handlers always do. */
const PATIENCE_MS = 100;

/**
 * Drains until nothing is left or the time is up, where no relay runs all the time.
 * @throws {CheckpointBeyondLog} If a checkpoint is beyond the log: run `npm run rewind`.
 */
export async function drain(relay: Relay, deadlineMs: number, batchMax = BATCH_EVENTS_MAX): Promise<Drained> {
  const deadline = performance.now() + deadlineMs;
  await fireTimers(ownTimers(relay));
  const drained = await drainEvents(relay, deadline - performance.now(), batchMax);
  await sweep(relay.db, () => performance.now() < deadline);
  return drained;
}

/** Drains right after a command: events only, without timers and sweeping. */
export async function drainEvents(
  relay: Relay,
  deadlineMs: number,
  batchMax = BATCH_EVENTS_MAX,
): Promise<Drained> {
  const deadline = performance.now() + deadlineMs;
  const leftMs = () => Math.max(0, deadline - performance.now());
  try {
    for (let handled = 0;;) {
      const batch = await drainBatch(relay, batchMax);
      await relay.tasks.waitForAll(leftMs());
      const count = batch.handled + relay.tasks.collect();
      handled += count;
      if (count === 0 || leftMs() === 0) return { handled, more: batch.more };
    }
  } finally {
    await relay.crew.pause();
  }
}

/**
 * Numbers the events of the outbox and gives every subscription the next batch, all at the same time. Any
 * number of relays may drain at once. A failing subscription rests for a while. A slow subscription goes on
 * in the background.
 */
export async function drainBatch(relay: Relay, batchMax = BATCH_EVENTS_MAX): Promise<Drained> {
  const { db, tasks } = relay;
  const { lastPosition: seen } = relay.seen;
  const outlook = await numberEvents(db, batchMax, listHandlers(relay), seen);
  relay.seen.lastPosition = outlook.lastPosition;
  const subscribed = listSubscribed(ownSubscriptions(relay), outlook);
  const behind = subscribed.filter(({ position }) => position < outlook.lastPosition);
  if (relay.delayMs > 0 && behind.length > 0) await sleep(relay.delayMs, relay.stopping);

  const eventsAfter = createReader(db, batchMax, outlook, seen);
  const refreshed = startRefreshes(relay, subscribed, outlook.lastPosition, eventsAfter);
  if (!relay.stopping?.aborted) startHandlers(relay, subscribed, outlook, eventsAfter);
  await tasks.wait(refreshed, PATIENCE_MS);

  const handled = tasks.collect();
  const lags = behind.map(({ position }) => outlook.lastPosition - position);
  const left = lags.reduce((sum, lag) => sum + lag, 0) - handled;
  const hasOpenLanes = outlook.lanes.some(({ isOpen }) => isOpen);
  return { handled, more: left > 0 || hasOpenLanes || lags.some((lag) => lag >= batchMax) };
}
