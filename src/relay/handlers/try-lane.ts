import { getLogger } from "../../logging.ts";
import { reasonToWait, type RecordedEvent } from "../../write/event.ts";
import { backoffMs, type Failure, tryOnce } from "./attempt.ts";
import type { Handler } from "./handler.ts";
import type { HeldLane, Outcome } from "./lane.ts";
import type { Outage } from "./outage.ts";

const ATTEMPTS_MAX = 8;
/** The pause before another look at an event meant for newer programs. */
const LEFT_TO_NEWER_MS = 1_000;
/** The pause before another look at an event of a newer shape. */
const NEWER_SHAPE_MS = 30_000;

const logger = getLogger("cqrs.relay");

/** The conditions of the tries of a lane. */
export interface Conditions {
  outage: Outage;
  isStopped: () => boolean;
  /** The tries under way. */
  underWay: Set<AbortController>;
  /** Returns the present, by the clock of the database. */
  now: () => Date;
  /** Called after each try. */
  onTry: () => void;
}

/** Tries the events of a lane up to the first failure, and returns the end of the hold. */
export async function tryLane(handler: Handler, lane: HeldLane, conditions: Conditions): Promise<Outcome> {
  for (const event of lane.events) {
    if (lane.isLost || conditions.isStopped()) return {};
    if (!isOurs(handler, event)) return { attempts: lane.attempts, rests_ms: LEFT_TO_NEWER_MS };
    const reason = reasonToWait(event);
    if (reason) return { error: reason, attempts: lane.attempts, rests_ms: NEWER_SHAPE_MS };
    const failure = await tryEvent(handler, lane, event, conditions);
    if (failure) return outcomeOf(handler, lane, failure);
    lane.to = event.version;
  }
  lane.to = lane.tryingTo;
  return {};
}

/** Returns false for events that only newer programs react to. */
export function isOurs({ types }: Handler, { type }: RecordedEvent): boolean {
  return types?.includes(type) ?? true;
}

async function tryEvent(
  handler: Handler,
  lane: HeldLane,
  event: RecordedEvent,
  { outage, underWay, now, onTry }: Conditions,
): Promise<Failure | undefined> {
  const failure = await tryOnce(handler, event, now(), underWay);
  onTry();
  if (!failure) {
    outage.succeeded();
    lane.attempts = 0;
    return undefined;
  }
  const counts = failure.counts && !outage.isDown;
  if (!failure.isRivalry) outage.failed(lane.stream, failure.message);
  return { ...failure, counts };
}

function outcomeOf(
  { name, attemptsMax = ATTEMPTS_MAX }: Handler,
  { stream, to, ...lane }: HeldLane,
  { message, counts }: Failure,
): Outcome {
  const attempts = lane.attempts + (counts ? 1 : 0);
  const park = counts && attempts >= attemptsMax;
  const properties = { name, stream, version: to + 1, attempts, message };
  const failed = "try {attempts} of version {version} of {stream} for {name} failed: {message}";
  if (park) logger.error(`Parked: ${failed}`, properties);
  else logger.warn(`Resting: ${failed}`, properties);
  return { error: message, attempts, rests_ms: backoffMs(attempts), park };
}
