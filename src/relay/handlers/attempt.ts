import {
  CommandInProgress,
  isGivenUp,
  isOverTimeLimit,
  isUnavailable,
  toStorable,
  TryAgain,
  VersionConflict,
} from "../../errors.ts";
import type { RecordedEvent } from "../../write/event.ts";
import type { Handler } from "./handler.ts";

const TIMEOUT_MS = 30_000;
const BACKOFF_MS = 500;
const BACKOFF_MS_MAX = 60_000;

/** A failed try. */
export interface Failure {
  message: string;
  /** True when the failure counts as a try: not when the database was away, or others were faster. */
  counts: boolean;
  /** True when others were faster. */
  isRivalry: boolean;
}

/**
 * Handles an event within the handler's time limit. Never throws: returns any failure. During the try, `underWay` has a
 * controller to have the try fail at once.
 */
export async function tryOnce(
  { handle, timeoutMs = TIMEOUT_MS }: Handler,
  event: RecordedEvent,
  startedAt: Date,
  underWay: Set<AbortController>,
): Promise<Failure | undefined> {
  const late = new AbortController();
  const ended = new Promise<never>((_, reject) =>
    late.signal.addEventListener("abort", () => reject(late.signal.reason))
  );
  const timer = setTimeout(() => late.abort(new Error(`Did not end within ${timeoutMs} ms`)), timeoutMs);
  underWay.add(late);
  try {
    await Promise.race([handle(event, late.signal, startedAt), ended]);
    return undefined;
  } catch (error) {
    return {
      message: toStorable(error),
      // A statement over the time limit counts: the event may well be the reason.
      counts: !isOthersFault(error) || isOverTimeLimit(error),
      isRivalry: isRivalry(error),
    };
  } finally {
    clearTimeout(timer);
    underWay.delete(late);
  }
}

/** Returns true if others are at fault: on a popular aggregate, rivals may be faster again and again. */
function isOthersFault(error: unknown): boolean {
  return isUnavailable(error) || isGivenUp(error) || isRivalry(error);
}

function isRivalry(error: unknown): boolean {
  return [CommandInProgress, VersionConflict, TryAgain].some((rivalry) => error instanceof rivalry);
}

/** Returns the milliseconds to rest after some tries: exponential, with full jitter, at most 60,000. */
export function backoffMs(attempts: number): number {
  return Math.round(Math.random() * Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** Math.max(1, attempts)));
}
