import { describe, expect, it } from "vitest";
import type { HeldLane, OpenState } from "../../src/relay/handlers/lane.ts";
import { wantedOf } from "../../src/relay/handlers/wanted.ts";

const EVERY = new Set<OpenState>(["ready", "resting", "suspect", "alone"]);

describe("the lanes to take", () => {
  it("are what is due, lanes in trouble at most half", () => {
    expect(wantedOf(8, [], new Set(["ready"]))).toEqual({ ready: 8 });
    expect(wantedOf(8, [], EVERY)).toEqual({ ready: 8, resting: 4, suspect: 4 });
    expect(wantedOf(5, held("resting", "resting", "ready"), EVERY)).toEqual({
      ready: 5,
      resting: 2,
      suspect: 2,
    });
    expect(wantedOf(4, held("resting", "resting", "resting", "suspect"), EVERY)).toEqual({ ready: 4 });
  });

  it("are at most eight suspects", () => {
    expect(wantedOf(100, [], new Set(["suspect"]))).toEqual({ suspect: 8 });
    expect(wantedOf(99, held("suspect"), new Set(["suspect"]))).toEqual({ suspect: 7 });
  });

  it("are no suspects beside a lane that is to be alone, and no such lane beside suspects", () => {
    expect(wantedOf(8, held("alone"), EVERY)).toEqual({ ready: 8, resting: 3 });
    expect(wantedOf(8, held("suspect"), new Set(["alone"]))).toEqual({});
    expect(wantedOf(8, [], new Set(["alone"]))).toEqual({ alone: 1 });
  });
});

function held(...states: OpenState[]): HeldLane[] {
  return states.map((was, place) => ({
    ...{ subscription: "any", stream: String(place), hold: 1, to: 0, tryingTo: 1, attempts: 0 },
    ...{ was, events: [], isLost: false },
  }));
}
