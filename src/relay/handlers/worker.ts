import type { Database } from "../../database/database.ts";
import { getLogger } from "../../logging.ts";
import { createBell } from "../waking/bell.ts";
import type { Gate } from "./gate.ts";
import type { Handler } from "./handler.ts";
import type { HeldLane, OpenState, Outcome } from "./lane.ts";
import type { Leases } from "./leases.ts";
import { Outage } from "./outage.ts";
import { Places } from "./places.ts";
import { Supply } from "./supply.ts";
import { tryLane } from "./try-lane.ts";
import { Window } from "./window.ts";

const LOOK_AGAIN_MS = 250;
const STUCK_MS = 1_000;
const NEVER = new AbortController().signal;

const logger = getLogger("cqrs.relay");

/** The parts of a process shared by the workers of all handlers. */
export interface Shared {
  leases: Leases;
  gate: Gate;
  /** Takes the number of handled events, while the work goes on. */
  count: (events: number) => void;
}

/**
 * Handles the events of a handler: holds lanes, tries their events in the order of their streams, several
 * streams side by side, and fills each free place at once.
 */
export class Worker {
  readonly #handler: Handler;
  readonly #shared: Shared;
  readonly #places: Places;
  readonly #window: Window;
  /** The source of lanes. */
  readonly supply: Supply;
  readonly #outage = new Outage();
  readonly #changed = createBell();
  readonly #held = new Set<HeldLane>();
  /** Held lanes waiting for a place. */
  #queue: HeldLane[] = [];
  #triesMade = 0;
  #slowestMs = 0;
  #movedAt = performance.now();
  readonly #underWay = new Set<AbortController>();
  #isRunning = false;
  #isStopped: () => boolean = () => false;

  constructor(handler: Handler, shared: Shared) {
    this.#handler = handler;
    this.#shared = shared;
    this.#places = new Places(shared.gate, handler.concurrency);
    this.#window = new Window(this.#places.size);
    this.supply = new Supply(handler);
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Looks again: a place, an event or the gate may be free. */
  look(): void {
    this.#changed.ring();
  }

  /** Has all tries under way fail: the process is about to end, or to be frozen. */
  interrupt(reason: Error): void {
    for (const attempt of this.#underWay) attempt.abort(reason);
  }

  /** Works until nothing is left, or until the stop and the end of the tries. Returns the number of tries. */
  async run(db: Database, isStopped: () => boolean): Promise<number> {
    this.#isRunning = true;
    this.#isStopped = isStopped;
    this.#triesMade = 0;
    try {
      for (;;) {
        if (isStopped() || this.#outage.isDown || this.#isStuck) await this.#release();
        const isNews = !isStopped() && await this.#fill(db);
        this.#beginTries();
        await this.#outage.say(db, this.#handler.name);
        if (isNews) continue;
        if (this.#held.size === 0) return this.#triesMade;
        await this.#changed.wait(LOOK_AGAIN_MS, NEVER);
      }
    } finally {
      this.#isRunning = false;
    }
  }

  /** Holds more lanes, when a place is free and the queue has nothing for the place. Returns true after any news. */
  async #fill(db: Database): Promise<boolean> {
    if (this.#slowestMs > 0) this.#window.adapt(this.#slowestMs);
    this.#slowestMs = 0;
    this.#hold(await this.supply.fetchExclusive(db, this.#shared.gate));
    if (!this.supply.hasMore || !this.#places.hasMoreThan(this.#queue)) return false;
    if (this.#outage.isDown && !this.#outage.mayProbe()) return false;
    const room = this.#outage.isDown ? 1 : this.#window.size - this.#held.size;
    if (room <= 0) return false;
    const { lanes, passed, isNews } = await this.supply.fetch(db, room, [...this.#held]);
    this.#shared.count(passed);
    this.#hold(lanes);
    return isNews;
  }

  /** True when lanes wait for a place and no try has ended for a while: other relays may have places. */
  get #isStuck(): boolean {
    return this.#queue.length > 0 && performance.now() - this.#movedAt > STUCK_MS;
  }

  #hold(lanes: HeldLane[]): void {
    if (lanes.length > 0) this.#movedAt = performance.now();
    this.#shared.leases.hold(lanes);
    for (const lane of lanes) this.#held.add(lane);
    this.#queue.push(...lanes);
  }

  #beginTries(): void {
    const waiting: HeldLane[] = [];
    for (const lane of this.#queue) {
      if (this.#places.isFreeFor(lane)) void this.#work(lane);
      else waiting.push(lane);
    }
    this.#queue = waiting;
  }

  async #work(lane: HeldLane): Promise<void> {
    const begunAt = performance.now();
    const outcome = await this.#places.during(lane, () =>
      tryLane(this.#handler, lane, {
        outage: this.#outage,
        isStopped: this.#isStopped,
        underWay: this.#underWay,
        now: () => this.supply.now(),
        onTry: () => {
          this.#triesMade++;
          this.#shared.count(1);
        },
      }));
    this.#movedAt = performance.now();
    this.#slowestMs = Math.max(this.#slowestMs, performance.now() - begunAt);
    this.look();
    await this.#end(lane, outcome);
  }

  /** Ends the hold of a lane, and looks for the work left. */
  async #end(lane: HeldLane, outcome: Outcome): Promise<void> {
    try {
      const left = await this.#shared.leases.end(lane, outcome);
      if (left && outcome.rests_ms === undefined) this.supply.expect(left.state as OpenState);
    } catch (error) {
      const { subscription: name, stream } = lane;
      const { message } = error as Error;
      logger.error("Cannot store the progress of {stream} for {name}: {message}", { stream, name, message });
    } finally {
      this.#held.delete(lane);
      this.look();
    }
  }

  /** Gives back the lanes not being tried. */
  async #release(): Promise<void> {
    const queue = this.#queue;
    this.#queue = [];
    this.#window.shrink();
    if (queue.some(({ was }) => was === "exclusive")) this.#shared.gate.leave();
    await Promise.all(queue.map((lane) => this.#end(lane, {})));
  }
}
