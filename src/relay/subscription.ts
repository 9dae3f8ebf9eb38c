import type { Generated } from "kysely";
import type { Database } from "../database/database.ts";
import type { RecordedEvent } from "../write/event.ts";

/** A receiver of every event, in order of position: a name, a checkpoint, and the work to do. */
export interface Subscription {
  /** The name of the checkpoint. */
  name: string;
  /** Shown to operators, for example `process manager`. */
  kind: string;
  /** Read models are quick and wanted soon: the relay waits a moment for the end of the batch. */
  isReadModel: boolean;
  /** The most events in a batch: as many as the relay reads at once when left out. */
  batchMax?: number;
  /**
   * Handles a batch and moves the checkpoint from `from` to `to`: both or neither for a read model, at least
   * once for a handler. Returns false when the checkpoint was not at `from`, or another relay had or took the
   * batch. Long work ends early when `stopping` aborts: a handler's open events become retries.
   */
  handle(db: Database, batch: Batch, stopping?: AbortSignal): Promise<boolean>;
  /** Tries again the due retries. Returns the number of tries. */
  retry?(db: Database): Promise<number>;
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
      rests_until: Generated<Date>;
      last_error: string | null;
      fence: Generated<number>;
      leased_to: number | null;
      leased_until: Date | null;
    };
  }
}
