import type { Generated } from "kysely";
import type { Database } from "../database/database.ts";
import type { RecordedEvent } from "../write/event.ts";
import type { Handler } from "./handlers/handler.ts";

/** A receiver of every event, in order of position, with a checkpoint. */
export type Subscription = ReadModelSubscription | HandlerSubscription;

interface Named {
  /** The name of the checkpoint. */
  name: string;
  /** Shown to operators, for example `process manager`. */
  kind: string;
}

/** Read models are quick and wanted soon: the relay waits a moment for the end of the batch. */
export interface ReadModelSubscription extends Named {
  /**
   * Handles a batch and moves the checkpoint from `from` to `to` or beyond, both or neither. Returns the new
   * position; null when the checkpoint was not at `from`, or another relay had the batch.
   */
  handle(db: Database, batch: Batch): Promise<number | null>;
  /** Returns the keys made stale by a batch; null when the batch has to be handled by `handle`. */
  keysOf(events: RecordedEvent[]): string[] | null;
  /** Tries events again that were set aside. Returns the number of events shown now. */
  handleSetAside(db: Database, events: RecordedEvent[]): Promise<number>;
}

export interface HandlerSubscription extends Named {
  handler: Handler;
}

export function isReadModel(subscription: Subscription): subscription is ReadModelSubscription {
  return "handle" in subscription;
}

/** All events with a position above `from`, up to `to`. */
export interface Batch {
  from: number;
  to: number;
  events: RecordedEvent[];
}

declare module "../database/database.ts" {
  interface Tables {
    "relay.checkpoints": {
      subscription: string;
      position: number;
      rests_from: Generated<Date>;
      rests_until: Generated<Date>;
      last_error: string | null;
      refresh_ms: number | null;
    };
  }
}
