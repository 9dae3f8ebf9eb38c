import type { RecordedEvent } from "../../write/event.ts";

/** The state of a lane in nobody's hand, with work to do. */
export type OpenState = "ready" | "resting" | "suspect" | "alone" | "exclusive";

/** A stream with events to handle, leased to this relay. */
export interface HeldLane {
  subscription: string;
  stream: string;
  /** The number of the hold: results of an earlier hold are refused. */
  hold: number;
  /** The last version handled. */
  to: number;
  /** The last version to be tried. */
  tryingTo: number;
  /** The counted failures of the next version. */
  attempts: number;
  /** The state before the hold. */
  was: OpenState;
  /** The events to try, in order of version. */
  events: RecordedEvent[];
  /** True after a failed renewal: another relay may have the lane. */
  isLost: boolean;
}

/** The end of a hold. Without properties, the lane is handled up to `to`. */
export interface Outcome {
  /** The reason of the failure of the event after `to`. */
  error?: string;
  /** The counted failures of the event after `to`. */
  attempts?: number;
  /** The time before the next try. */
  rests_ms?: number;
  /** True to leave the lane to the operator. */
  park?: boolean;
}

/** The result of a hold, or of a part of a hold. */
export type LaneResult = Pick<HeldLane, "subscription" | "stream" | "hold" | "to"> & Outcome & {
  /** Keeps the lane, and renews the lease. */
  keep?: true;
};

/** A lane with work left after a result. */
export interface LeftLane {
  subscription: string;
  stream: string;
  state: OpenState | "in hand" | "parked";
}
