import type { Generated } from "kysely";

/** A fact of the past: a name in the past tense, and the data needed to act on the fact. */
export interface Event {
  type: string;
  data: object;
}

/** The cause of an event. */
export interface Metadata {
  actor: string;
  /** The same for all consequences of a request. */
  correlationId: string;
  /** The event leading to the command, or null when a caller sent the command. */
  causationId: string | null;
}

/** An event as kept in the log. */
export interface RecordedEvent<E extends Event = Event> {
  position: number;
  id: string;
  stream: string;
  version: number;
  type: E["type"];
  /** The version of the shape of `data`. */
  schemaVersion: number;
  data: E["data"];
  metadata: Metadata;
  recordedAt: Date;
}

/** The newest version of the shape of events that this program knows. */
const SCHEMA_VERSION = 1;

/** Returns the reason to leave an event to a newer program, as after a rolled back deploy; undefined for none. */
export function reasonToWait({ type, schemaVersion }: RecordedEvent): string | undefined {
  if (schemaVersion <= SCHEMA_VERSION) return undefined;
  return `Version ${schemaVersion} of ${type} is newer than this program, which knows version ${SCHEMA_VERSION}`;
}

/** Returns the stream of an aggregate, for example `order-0198…`. */
export function streamOf(category: string, id: string): string {
  return `${category}-${id}`;
}

/** Returns the aggregate's id, from the name of the stream. */
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
