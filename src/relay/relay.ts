import type { Database } from "../database/database.ts";
import { Crew } from "./handlers/crew.ts";
import type { Timer } from "./handlers/timer.ts";
import { isReadModel, type Subscription } from "./subscription.ts";
import { Tasks } from "./tasks.ts";

export interface Relay {
  db: Database;
  /** All subscriptions of the program; `share` says with how many the relay works. */
  subscriptions: Subscription[];
  /** views: read models only; handlers: handlers, publishers and timers only. Other relays do the rest. */
  share: "all" | "views" | "handlers";
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
  /** The end of the log as of the last look; null before the first. */
  seen: { lastPosition: number | null };
}

export function createRelay(
  given:
    & Pick<Relay, "db" | "subscriptions">
    & Partial<Pick<Relay, "share" | "timers" | "delayMs" | "stopping">>,
): Relay {
  return { share: "all", timers: [], delayMs: 0, ...given, ...createTasks() };
}

/** Returns the subscriptions of the relay's share. */
export function ownSubscriptions({ subscriptions, share }: Relay): Subscription[] {
  if (share === "all") return subscriptions;
  return subscriptions.filter((subscription) => isReadModel(subscription) === (share === "views"));
}

/** Returns the timers of the relay's share. */
export function ownTimers({ timers, share }: Relay): Timer[] {
  return share === "views" ? [] : timers;
}

/** Returns the same relay with separate tasks, for a drain beside a relay running all the time. */
export function withOwnTasks(relay: Relay): Relay {
  return { ...relay, ...createTasks() };
}

function createTasks(): Pick<Relay, "tasks" | "crew" | "apart" | "seen"> {
  const tasks = new Tasks();
  return { tasks, crew: new Crew(tasks), apart: new Set(), seen: { lastPosition: null } };
}
