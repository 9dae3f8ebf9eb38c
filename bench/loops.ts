import { setTimeout } from "node:timers/promises";

/** The time before counting: for making connections and waking the relay. */
const SETTLE_MS = 300;

/** Repeats the task in every lane, without pauses. Returns the tasks per second of all lanes. */
export async function flatOut<Lane>(
  lanes: Lane[],
  durationMs: number,
  task: (lane: Lane) => Promise<unknown>,
): Promise<number> {
  const countFrom = performance.now() + SETTLE_MS;
  let done = 0;
  await Promise.all(lanes.map(async (lane) => {
    while (performance.now() < countFrom + durationMs) {
      await task(lane);
      if (performance.now() >= countFrom) done++;
    }
  }));
  return done / (performance.now() - countFrom) * 1000;
}

/**
 * Starts the task at a fixed rate, without waiting for earlier tasks to end (an open loop: a slow server gets
 * no mercy). A task waits while no lane is free. Returns the tasks done per second.
 */
export async function atRate<Lane>(
  lanes: Lane[],
  durationMs: number,
  perSecond: number,
  task: (lane: Lane) => Promise<unknown>,
): Promise<number> {
  const startedAt = performance.now();
  const total = Math.round(durationMs * perSecond / 1000);
  let started = 0;
  await Promise.all(lanes.map(async (lane) => {
    while (started < total) {
      const dueInMs = startedAt + ++started * 1000 / perSecond - performance.now();
      if (dueInMs > 0) await setTimeout(dueInMs);
      await task(lane);
    }
  }));
  return total / (performance.now() - startedAt) * 1000;
}
