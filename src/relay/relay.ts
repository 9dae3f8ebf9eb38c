import type { Database } from "../database/database.ts";
import { Crew } from "./handlers/crew.ts";
import type { Timer } from "./handlers/timer.ts";
import type { Subscription } from "./subscription.ts";
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
  /** Runs the handlers, as tasks. */
  crew: Crew;
  /** The names of read models whose last refresh was slow: each is refreshed apart from the others. */
  apart: Set<string>;
}

export function createRelay(
  given: Pick<Relay, "db" | "subscriptions"> & Partial<Pick<Relay, "timers" | "delayMs" | "stopping">>,
): Relay {
  return { timers: [], delayMs: 0, ...given, ...createTasks() };
}

/** Returns the same relay with separate tasks, for a drain beside a relay running all the time. */
export function withOwnTasks(relay: Relay): Relay {
  return { ...relay, ...createTasks() };
}

function createTasks(): Pick<Relay, "tasks" | "crew" | "apart"> {
  const tasks = new Tasks();
  return { tasks, crew: new Crew(tasks), apart: new Set() };
}
