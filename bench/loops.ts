import { setTimeout } from "node:timers/promises";

/** Connections are made and the relay wakes up in this time: it does not count. */
const SETTLE_MS = 300;

/** Does the task over and over, in as many lanes as are given, each after its last one has ended. Answers how often a second. */
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
 * Starts the task at a fixed rate, whether or not earlier ones have ended (an open loop: a slow server gets no
 * mercy). A task waits where no lane is free. Answers how many a second were done.
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
