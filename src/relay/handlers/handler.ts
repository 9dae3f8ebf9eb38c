import type { RecordedEvent } from "../../write/event.ts";

/** TypeScript code run for events: a process manager, or a publisher sending events elsewhere. */
export interface Handler {
  /** The name of the checkpoint. */
  name: string;
  /** Shown to operators, for example `process manager`. */
  kind: string;
  /** The types of the events to handle. Left out: every type. */
  types?: readonly string[];
  /**
   * Handles an event. The events of a stream come in sequence, events of different streams side by side. An
   * event may come again, after a failure or because a relay died: a repetition must do no harm. `signal`
   * aborts when the time is up, and the try has failed. `startedAt` is the begin of the try, by the clock of
   * the database.
   */
  handle(event: RecordedEvent, signal: AbortSignal, startedAt: Date): Promise<void>;
  /** The time limit for an event: 30 seconds when left out. */
  timeoutMs?: number;
  /** The number of failed tries before an event is parked: 8 when left out. */
  attemptsMax?: number;
  /** The number of streams handled at once by a relay: 8 when left out. */
  concurrency?: number;
}
