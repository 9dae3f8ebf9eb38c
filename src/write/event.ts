import type { Generated } from "kysely";

/** Something that happened: a name in the past tense, and what one has to know to act on it. */
export interface Event {
  type: string;
  data: object;
}

/** Who caused an event, and in answer to what. */
export interface Metadata {
  actor: string;
  /** The same for everything that one request led to. */
  correlationId: string;
  /** The event that led to the command, or null when a caller did. */
  causationId: string | null;
}

/** An event as the log keeps it. */
export interface RecordedEvent<E extends Event = Event> {
  position: number;
  id: string;
  stream: string;
  version: number;
  type: E["type"];
  data: E["data"];
  metadata: Metadata;
  recordedAt: Date;
}

/** The stream of one aggregate, such as `order-0198…`. */
export function streamOf(category: string, id: string): string {
  return `${category}-${id}`;
}

/** The aggregate's id, from the name of its stream. */
export function aggregateId(event: { stream: string }): string {
  return event.stream.slice(event.stream.indexOf("-") + 1);
}

declare module "../database/database.ts" {
  interface Tables {
    "write.events": {
      id: string;
      stream: string;
      version: number;
      type: string;
      schema_version: Generated<number>;
      data: object;
      metadata: Metadata;
      recorded_at: Generated<Date>;
    };
    "write.outbox": { id: Generated<number>; event_id: string; recorded_at: Date };
  }
}
