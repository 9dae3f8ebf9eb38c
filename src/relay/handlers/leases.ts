import type { Database } from "../../database/database.ts";
import { isUnavailable } from "../../errors.ts";
import { sleep } from "../../sleep.ts";
import type { HeldLane, LaneResult, LeftLane, Outcome } from "./lane.ts";
import { settleLanes } from "./lanes.ts";

/** The length of a lease, as in `relay.lease()`: afterwards another relay goes on with the work of a dead relay. */
const LEASE_MS = 3_000;
const SAY_AGAIN_MS = 100;

interface Ending {
  result: LaneResult;
  resolve: (left: LeftLane | undefined) => void;
  reject: (error: unknown) => void;
}

/**
 * The lanes held by a process: renews the leases of all with a single statement, and stores the results of
 * many with a single statement while the statement before is under way.
 */
export class Leases {
  readonly #held = new Map<HeldLane, { renewedAt: number }>();
  readonly #db: Database;
  #endings: Ending[] = [];
  #isStoring = false;
  #isRenewing = false;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Renews the leases of the lanes until their end. */
  hold(lanes: HeldLane[]): void {
    for (const lane of lanes) this.#held.set(lane, { renewedAt: performance.now() });
    if (!this.#isRenewing) void this.#keepRenewing();
  }

  /** Stores the result of a held lane. Returns the lane with the work left, or undefined when nothing is left. */
  end(lane: HeldLane, outcome: Outcome): Promise<LeftLane | undefined> {
    this.#held.delete(lane);
    return new Promise((resolve, reject) => {
      this.#endings.push({ result: { ...progressOf(lane), ...outcome }, resolve, reject });
      if (!this.#isStoring) void this.#store();
    });
  }

  /** Stores the progress of all held lanes, and renews the leases. */
  async renew(olderThanMs = 0): Promise<void> {
    const startedAt = performance.now();
    const due = [...this.#held].filter(([, { renewedAt }]) => startedAt - renewedAt >= olderThanMs);
    if (due.length === 0) return;
    const kept = await settleLanes(this.#db, due.map(([lane]) => ({ ...progressOf(lane), keep: true })));
    const names = new Set(kept.map(nameOf));
    for (const [lane, lease] of due) {
      if (names.has(nameOf(lane))) lease.renewedAt = startedAt;
      else if (this.#held.delete(lane)) lane.isLost = true;
    }
  }

  async #store(): Promise<void> {
    this.#isStoring = true;
    while (this.#endings.length > 0) {
      const endings = this.#endings;
      this.#endings = [];
      try {
        const left = await this.#sayUntilHeard(endings.map(({ result }) => result));
        const byName = new Map(left.map((lane) => [nameOf(lane), lane]));
        for (const { result, resolve } of endings) resolve(byName.get(nameOf(result)));
      } catch (error) {
        for (const { reject } of endings) reject(error);
      }
    }
    this.#isStoring = false;
  }

  /** Tries again while the database is away, up to twice the length of a lease: no other relay can work meanwhile. */
  async #sayUntilHeard(results: LaneResult[]): Promise<LeftLane[]> {
    for (const deadline = performance.now() + 2 * LEASE_MS;;) {
      try {
        return await settleLanes(this.#db, results);
      } catch (error) {
        if (!isUnavailable(error) || performance.now() > deadline) throw error;
      }
      await sleep(SAY_AGAIN_MS);
    }
  }

  async #keepRenewing(): Promise<void> {
    this.#isRenewing = true;
    while (this.#held.size > 0) {
      await sleep(LEASE_MS / 4);
      // A failed renewal is tried again. If all fail, the leases run out, and another relay takes over.
      await this.renew(LEASE_MS / 8).catch(() => {});
    }
    this.#isRenewing = false;
  }
}

function progressOf({ subscription, stream, hold, to }: HeldLane) {
  return { subscription, stream, hold, to };
}

function nameOf({ subscription, stream }: { subscription: string; stream: string }): string {
  return `${subscription} ${stream}`;
}
