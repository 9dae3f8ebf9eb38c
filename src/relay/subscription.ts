import type { Database } from "../database/database.ts";
import type { RecordedEvent } from "../write/event.ts";

/** Something that is told of every event, in order of position: a name, a checkpoint, and what it does. */
export interface Subscription {
  /** The name of its checkpoint. */
  name: string;
  kind: string;
  /** How many events a batch may have: as many as the relay reads at once when left out. */
  batchMax?: number;
  /**
   * Handles a batch and moves the checkpoint from `from` to `to`, both or neither.
   * Answers false when the checkpoint was not at `from` or another relay had it: then nothing was done. What takes long
   * ends early, in good order, when `stopping` aborts.
   */
  handle(db: Database, batch: Batch, stopping?: AbortSignal): Promise<boolean>;
  /** Tries again what was set aside and is due. Answers how many events it tried. */
  retry?(db: Database): Promise<number>;
}

/** All events with a position above `from`, up to `to`. */
export interface Batch {
  from: number;
  to: number;
  events: RecordedEvent[];
}
