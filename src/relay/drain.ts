import type { Database } from "../database/database.ts";
import { getLogger } from "../log.ts";
import { sleep } from "../sleep.ts";
import type { RecordedEvent } from "../write/event.ts";
import { numberEvents, type Outlook } from "./checkpoint.ts";
import { handOut } from "./hand-out.ts";
import { listEvents } from "./log.ts";
import type { Subscription } from "./subscription.ts";
import { sweep } from "./sweep.ts";
import { Tasks } from "./tasks.ts";
import { fireTimers, type Timer } from "./timer.ts";

export interface Relay {
  db: Database;
  subscriptions: Subscription[];
  /** What the clock makes due. */
  timers?: Timer[];
  /** How long to hold events back, to make the lag of the read models visible. Usually 0. */
  delayMs: number;
  /** Ends early what takes long. */
  stopping?: AbortSignal;
}

export interface Drained {
  /** How many events were handled, each counted once for every subscription. */
  handled: number;
  /** Whether something is left: it did not fit, is not due yet, failed, or is in another relay's hands. */
  more: boolean;
}

export const BATCH_EVENTS_MAX = 1_000;
/** A read model that takes longer is left to it, and the others go on. */
const PATIENCE_MS = 100;

const logger = getLogger("cqrs.relay");

/**
 * Drains until nothing is left or the time is up: for whoever has no relay that runs all the time.
 * @throws {CheckpointBeyondLog} If the database is an older copy than its checkpoints.
 */
export async function drain(relay: Relay, deadlineMs: number, batchMax = BATCH_EVENTS_MAX): Promise<Drained> {
  const deadline = performance.now() + deadlineMs;
  await fireTimers(relay);
  const drained = await drainEvents(relay, deadline - performance.now(), batchMax);
  await sweep(relay.db, () => performance.now() < deadline);
  return drained;
}

/** The same for right after a command: only what has happened, neither what the clock makes due nor what is to be swept. */
export async function drainEvents(
  relay: Relay,
  deadlineMs: number,
  batchMax = BATCH_EVENTS_MAX,
): Promise<Drained> {
  const deadline = performance.now() + deadlineMs;
  const leftMs = () => Math.max(0, deadline - performance.now());
  const tasks = tasksOf(relay);
  for (let handled = 0;;) {
    const batch = await drainBatch(relay, batchMax);
    await tasks.waitForAll(leftMs());
    const count = batch.handled + tasks.collect();
    handled += count;
    if (count === 0 || leftMs() === 0) return { handled, more: batch.more };
  }
}

/**
 * Numbers what is in the outbox, then gives every subscription its next batch, all at the same time. Any number
 * of relays may do so at once. A subscription that fails rests for a while; one that takes long is left to it, and
 * given nothing more until it is done. The others go on.
 */
export async function drainBatch(relay: Relay, batchMax = BATCH_EVENTS_MAX): Promise<Drained> {
  const { db } = relay;
  const tasks = tasksOf(relay);
  const outlook = await numberEvents(db, batchMax);
  const places = findPlaces(relay.subscriptions, outlook);
  const behind = places.filter(({ position }) => position < outlook.lastPosition);
  const due = behind.filter(({ subscription, isDue }) => isDue && !tasks.has(subscription.name));
  if (due.length > 0 && relay.delayMs > 0) await sleep(relay.delayMs, relay.stopping);

  const eventsAfter = createReader(db, batchMax);
  for (const { subscription, position } of due) {
    const work = async () =>
      await handOut(db, subscription, position, await eventsAfter(position), relay.stopping);
    tasks.start(subscription.name, work);
  }
  if (!relay.stopping?.aborted) startRetries(db, tasks, places);
  const views = due.filter(({ subscription }) => !subscription.retry);
  await tasks.wait(views.map(({ subscription }) => subscription.name), PATIENCE_MS);

  const handled = tasks.collect();
  const lags = behind.map(({ position }) => outlook.lastPosition - position);
  const left = lags.reduce((sum, lag) => sum + lag, 0) - handled;
  return { handled, more: left > 0 || lags.some((lag) => lag >= batchMax) };
}

/** What each relay is at. Two of the same process, such as one that runs and one for a request, are two objects. */
const allTasks = new WeakMap<Relay, Tasks>();

export function tasksOf(relay: Relay): Tasks {
  const tasks = allTasks.get(relay) ?? new Tasks();
  allTasks.set(relay, tasks);
  return tasks;
}

type Place = Outlook["checkpoints"][number] & { subscription: Subscription };

/** How far each subscription has come. */
function findPlaces(subscriptions: Subscription[], { checkpoints }: Outlook): Place[] {
  return subscriptions.flatMap((subscription) => {
    const checkpoint = checkpoints.find(({ name }) => name === subscription.name);
    if (checkpoint) return [{ ...checkpoint, subscription }];
    logger.error("Cannot find the checkpoint of {name}: a migration has to add it", {
      name: subscription.name,
    });
    return [];
  });
}

function startRetries(db: Database, tasks: Tasks, places: Place[]): void {
  for (const { subscription: { name, retry }, hasRetries } of places) {
    const task = `${name}, again`;
    if (retry && hasRetries && !tasks.has(task)) tasks.start(task, () => retry(db));
  }
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
