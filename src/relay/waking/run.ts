import { sql } from "kysely";
import type { Database } from "../../database/database.ts";
import { CheckpointBeyondLog } from "../../errors.ts";
import { getLogger } from "../../logging.ts";
import { sleep } from "../../sleep.ts";
import { type Bell, createBell } from "./bell.ts";
import { drainBatch } from "../drain.ts";
import { ownTimers, type Relay } from "../relay.ts";
import { listen } from "./listen.ts";
import { sweep } from "../sweep.ts";
import { fireTimers } from "../handlers/timer.ts";

/** The time until "awake" expires; said again at half-time. While a relay is awake, writers do not notify. */
const AWAKE_MS = 1_000;
/** The waits between the looks of an awake relay without work, before "asleep": nobody notifies meanwhile. */
const LINGER_MS = [1, 1, 2, 4, 8];
/** The waits before each look after saying "asleep": a writer may still have read the old value. */
const SECOND_LOOKS_MS = [0, 3, 15, 80];
/** The rest of a relay after a batch: events that arrive meanwhile share the next batch, and its costs. */
const REST_MS = 3;
const POLL_MS = 1_000;
const SWEEP_EVERY_MS = 3_600_000;
/** The longest wait of a stop for running tasks. */
const STOP_MS = 8_000;

const logger = getLogger("cqrs.relay");

/**
 * Relays until the signal aborts: works while events are left, and sleeps until a writer notifies, `pollMs`
 * (a second) at most. A notification is only a hint: a lost notification costs at most `pollMs`.
 *
 * @throws {CheckpointBeyondLog} If a checkpoint is beyond the log: run `npm run rewind`. Other errors do not
 * end the relay.
 * @see docs/decisions/0004-waking.md
 */
export async function runRelay(
  relay: Relay,
  directUrl: string,
  signal: AbortSignal,
  pollMs = POLL_MS,
): Promise<void> {
  const bell = createBell();
  const { tasks } = relay;
  tasks.onLateEnd = bell.ring;
  const failing = new AbortController();
  const ending = AbortSignal.any([signal, failing.signal]);
  const beside = [
    listen(relay.db, directUrl, bell.ring, ending),
    every(pollMs, ending, () => fireTimers(ownTimers(relay))),
    every(SWEEP_EVERY_MS, ending, () => sweep(relay.db, () => !ending.aborted)),
  ];
  try {
    while (!signal.aborted) {
      try {
        await workUntilQuiet(relay, bell, signal);
      } catch (error) {
        if (error instanceof CheckpointBeyondLog) throw error;
        logger.error("Cannot relay, trying again: {message}", { message: (error as Error).message });
      }
      await bell.wait(pollMs * (0.5 + Math.random() / 2), signal);
    }
  } finally {
    failing.abort();
    await Promise.all(beside);
    await tasks.waitForAll(STOP_MS);
  }
}

/** Works at once, and again after every pause of `ms`. */
async function every(ms: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await work().catch((error: Error) => {
      logger.error("Cannot do what is due, trying again later: {message}", { message: error.message });
    });
    await sleep(ms, signal);
  }
}

/** Works until no event is left. After having said "awake", says "asleep" and looks again. */
async function workUntilQuiet(relay: Relay, bell: Bell, signal: AbortSignal): Promise<void> {
  while (await work(relay, bell, signal)) {
    await setAwake(relay.db, false);
    let found = false;
    for (const ms of SECOND_LOOKS_MS) {
      await bell.wait(ms, signal);
      found = (await drainBatch(relay)).handled > 0;
      if (found || signal.aborted) break;
    }
    if (!found) return;
  }
}

/** Drains until nothing is left. Returns true after having said "awake": never for a single batch. */
async function work(relay: Relay, bell: Bell, signal: AbortSignal): Promise<boolean> {
  let saidAt = -Infinity;
  let busy = false;
  for (let looks = 0; !signal.aborted;) {
    const { handled } = await drainBatch(relay);
    if (handled === 0) {
      const lingerMs = saidAt === -Infinity ? undefined : LINGER_MS[looks++];
      if (lingerMs === undefined) break;
      await bell.wait(lingerMs, signal);
      continue;
    }
    looks = 0;
    if (busy && performance.now() - saidAt > AWAKE_MS / 2) {
      saidAt = performance.now();
      await setAwake(relay.db, true);
    }
    busy = true;
    await sleep(REST_MS, signal);
  }
  return saidAt !== -Infinity;
}

async function setAwake(db: Database, awake: boolean): Promise<void> {
  await db.updateTable("relay.state").set({
    awake_until: awake
      ? sql<Date>`clock_timestamp() + ${AWAKE_MS} * interval '1 millisecond'`
      : sql<Date>`'-infinity'`,
  }).execute();
}

declare module "../../database/database.ts" {
  interface Tables {
    "relay.state": { only_row: boolean; awake_until: Date };
  }
}
