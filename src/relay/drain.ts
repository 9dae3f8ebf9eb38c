import type { Database } from "../database/database.ts";
import { getLogger } from "../logging.ts";
import { sleep } from "../sleep.ts";
import type { RecordedEvent } from "../write/event.ts";
import { listEvents } from "./events.ts";
import { handOut } from "./hand-out.ts";
import { fireTimers, type Timer } from "./handlers/timer.ts";
import { numberEvents, type Outlook } from "./number.ts";
import type { Subscription } from "./subscription.ts";
import { sweep } from "./sweep.ts";
import { Tasks } from "./tasks.ts";

export interface Relay {
  db: Database;
  subscriptions: Subscription[];
  /** Work made due by the clock. */
  timers: Timer[];
  /** Holds events back, to make the lag of the read models visible. Usually 0. */
  delayMs: number;
  /** Ends long work early. */
  stopping?: AbortSignal;
  /** The running work. */
  tasks: Tasks;
}

export function createRelay(
  given: Pick<Relay, "db" | "subscriptions"> & Partial<Pick<Relay, "timers" | "delayMs" | "stopping">>,
): Relay {
  return { timers: [], delayMs: 0, ...given, tasks: new Tasks() };
}

/** Returns the same relay with separate tasks, for a drain beside a relay running all the time. */
export function withOwnTasks(relay: Relay): Relay {
  return { ...relay, tasks: new Tasks() };
}

export interface Drained {
  /** The number of handled events, each counted once for every subscription. */
  handled: number;
  /** True when events are left: beyond the batch, not due yet, failed, or taken by another relay. */
  more: boolean;
}

export const BATCH_EVENTS_MAX = 1_000;
/** The longest wait for read models. A slower read model goes on in the background, as handlers always do. */
const PATIENCE_MS = 100;

const logger = getLogger("cqrs.relay");

/**
 * Drains until nothing is left or the time is up, where no relay runs all the time.
 * @throws {CheckpointBeyondLog} If a checkpoint is beyond the log: run `npm run rewind`.
 */
export async function drain(relay: Relay, deadlineMs: number, batchMax = BATCH_EVENTS_MAX): Promise<Drained> {
  const deadline = performance.now() + deadlineMs;
  await fireTimers(relay.timers);
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
  for (let handled = 0;;) {
    const batch = await drainBatch(relay, batchMax);
    await relay.tasks.waitForAll(leftMs());
    const count = batch.handled + relay.tasks.collect();
    handled += count;
    if (count === 0 || leftMs() === 0) return { handled, more: batch.more };
  }
}

/**
 * Numbers the events of the outbox and gives every subscription the next batch, all at the same time. Any
 * number of relays may drain at once. A failing subscription rests for a while. A slow subscription goes on
 * in the background, and gets no further batch before the end.
 */
export async function drainBatch(relay: Relay, batchMax = BATCH_EVENTS_MAX): Promise<Drained> {
  const { db, tasks } = relay;
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
  if (!relay.stopping?.aborted) startRetries(relay, places);
  const readModels = due.filter(({ subscription }) => subscription.isReadModel);
  await tasks.wait(readModels.map(({ subscription }) => subscription.name), PATIENCE_MS);

  const handled = tasks.collect();
  const lags = behind.map(({ position }) => outlook.lastPosition - position);
  const left = lags.reduce((sum, lag) => sum + lag, 0) - handled;
  return { handled, more: left > 0 || lags.some((lag) => lag >= batchMax) };
}

type Place = Outlook["checkpoints"][number] & { subscription: Subscription };

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

/**
 * Starts the retries of every subscription. A lost retry may kill the process, and is tried while no other
 * retry is: two lost retries tried together would look guilty together, try after try.
 */
function startRetries({ db, tasks }: Relay, places: Place[]): void {
  const due = places.filter(({ hasRetries }) => hasRetries);
  const lost = due.find(({ hasLost }) => hasLost);
  const isRunning = ({ subscription }: Place) => tasks.has(taskOf(subscription));
  if (lost && places.some(isRunning)) return;
  for (const place of lost ? [lost] : due) {
    const { retry } = place.subscription;
    if (retry && !isRunning(place)) tasks.start(taskOf(place.subscription), () => retry(db));
  }
}

function taskOf({ name }: Subscription): string {
  return `${name}, again`;
}

/** Reads each page of events only once: most subscriptions stand at the same position. */
function createReader(db: Database, limit: number) {
  const pages = new Map<number, Promise<RecordedEvent[]>>();
  return (after: number) => {
    const page = pages.get(after) ?? listEvents(db, after, limit);
    pages.set(after, page);
    return page;
  };
}
