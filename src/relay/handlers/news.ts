import type { RecordedEvent } from "../../write/event.ts";
import type { OpenState } from "./lane.ts";

/** The state of a handler in the database, at a look. */
export interface News {
  /** The checkpoint. */
  position: number;
  lastPosition: number;
  /** False while newer programs react to other types of events. */
  isNewest: boolean;
  /** False also while the checkpoint rests. */
  mayHandOut: boolean;
  /** The states with a lane to take; `in hand` for a lease that has run out. */
  dueStates: (OpenState | "in hand")[];
  /** The time of the look, by the clock of the database. */
  now: Date;
  eventsAfter: (position: number) => Promise<RecordedEvent[]>;
}
