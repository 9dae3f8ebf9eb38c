import type { RecordedEvent } from "../../write/event.ts";

/** TypeScript that runs for events: a process manager, say, or a publisher that sends events elsewhere. */
export interface Handler {
  /** The name of its checkpoint. */
  name: string;
  /** Shown to operators, such as `process manager`. */
  kind: string;
  /** Whether the handler wants to be told of the event. All events, when left out. */
  concerns?(event: RecordedEvent): boolean;
  /**
   * Handles one event. The events of a stream come one after the other, those of different streams side by side. An
   * event may come again, after a failure or because a relay died: the work has to bear a repetition.
   * `signal` aborts when the time is up: then the handler has failed.
   */
  handle(event: RecordedEvent, signal: AbortSignal): Promise<void>;
  /** How long one event may take: 30 seconds when left out. */
  timeoutMs?: number;
  /** After how many failed tries an event is parked, two at least: 8 when left out. */
  attemptsMax?: number;
}
