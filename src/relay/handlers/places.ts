import type { Gate } from "./gate.ts";
import type { HeldLane } from "./lane.ts";

const PLACES = 8;

/** The places of a handler: the number of tries at once. Lanes in trouble have at most half of the places. */
export class Places {
  readonly size: number;
  readonly #gate: Gate;
  readonly #forTrouble: number;
  #tries = 0;
  #troubledTries = 0;

  constructor(gate: Gate, size = PLACES) {
    this.size = size;
    this.#gate = gate;
    this.#forTrouble = Math.max(1, Math.floor(size / 2));
  }

  /** Returns true if a try of the lane may begin. */
  isFreeFor(lane: HeldLane): boolean {
    if (this.#tries >= this.size) return false;
    // The gate is closed for the sake of the lane.
    if (lane.was === "exclusive") return true;
    return this.#gate.isOpen && (!isTroubled(lane) || this.#troubledTries < this.#forTrouble);
  }

  /** Returns true if a place is free, even for all lanes of the queue waiting for nothing else. */
  hasMoreThan(queue: HeldLane[]): boolean {
    const troubled = queue.filter(isTroubled).length;
    const waiting = queue.length - troubled + Math.min(troubled, this.#forTrouble - this.#troubledTries);
    return this.#tries + waiting < this.size;
  }

  /** Holds a place during the work. */
  async during<T>(lane: HeldLane, work: () => Promise<T>): Promise<T> {
    const trouble = isTroubled(lane) ? 1 : 0;
    this.#tries++;
    this.#troubledTries += trouble;
    this.#gate.begin();
    try {
      return await work();
    } finally {
      this.#tries--;
      this.#troubledTries -= trouble;
      this.#gate.end();
    }
  }
}

/** Returns true if the last try of the lane failed, or never came back. */
function isTroubled({ was }: HeldLane): boolean {
  return was !== "ready";
}
