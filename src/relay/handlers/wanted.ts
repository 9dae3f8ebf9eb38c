import type { HeldLane, OpenState } from "./lane.ts";

const SUSPECTS_MAX = 8;

/** The number of lanes to take, by state. */
export type Wanted = { [State in OpenState]?: number };

/**
 * Returns the number of lanes to take of each due state. Lanes in trouble are at most half of all: the others go
 * on. Of the lanes lost with a dead relay, few are tried at once, and a lane lost twice without any other.
 */
export function wantedOf(room: number, held: HeldLane[], due: ReadonlySet<string>): Wanted {
  const count = (...states: OpenState[]) => held.filter(({ was }) => states.includes(was)).length;
  const lost = count("suspect", "alone", "exclusive");
  const half = Math.max(1, Math.floor((room + held.length) / 2)) - count("resting") - lost;
  const numbers = {
    ready: room,
    resting: Math.min(room, half),
    suspect: count("alone", "exclusive") > 0 ? 0 : Math.min(SUSPECTS_MAX - lost, half),
    alone: lost > 0 || due.has("suspect") ? 0 : 1,
  };
  return Object.fromEntries(
    Object.entries(numbers).filter(([state, number]) => number > 0 && due.has(state)),
  );
}
