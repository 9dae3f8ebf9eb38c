import type { RecordedEvent } from "../../write/event.ts";

/** TypeScript code run for events: a process manager, or a publisher sending events elsewhere. */
export interface Handler {
  /** The name of the checkpoint. */
  name: string;
  /** Shown to operators, for example `process manager`. */
  kind: string;
  /** Returns true if the handler wants the event. Left out: the handler wants every event. */
  concerns?(event: RecordedEvent): boolean;
  /**
   * Handles an event. The events of a stream come in sequence, events of different streams side by side. An
   * event may come again, after a failure or because a relay died: a repetition must do no harm. `signal`
   * aborts when the time is up, and the try has failed.
   */
  handle(event: RecordedEvent, signal: AbortSignal): Promise<void>;
  /** The time limit for an event: 30 seconds when left out. */
  timeoutMs?: number;
  /** The number of failed tries before an event is parked, at least 2: 8 when left out. */
  attemptsMax?: number;
}
