import type { Database } from "../../database/database.ts";
import { getLogger } from "../../logging.ts";
import type { Gate } from "./gate.ts";
import type { Handler } from "./handler.ts";
import type { HeldLane, OpenState } from "./lane.ts";
import { reclaimLanes, takeLanes } from "./lanes.ts";
import { type Fetched, NewEvents, NOTHING } from "./new-events.ts";
import type { News } from "./news.ts";
import { type Wanted, wantedOf } from "./wanted.ts";

const logger = getLogger("cqrs.relay");

/** Longer than any transaction needs to make a lane due. */
const SINCE_MARGIN_MS = 5_000;
const LOOK_FROM_BEGINNING_EVERY_MS = 30_000;

/** Finds the lanes for a worker: hands out new events, and takes lanes that were left, failed or lost. */
export class Supply {
  readonly #handler: Handler;
  readonly #newEvents: NewEvents;
  readonly #due = new Set<OpenState | "in hand">();
  #since: Date | null = null;
  #lookedFromBeginningAt = performance.now();
  #wasNewest = true;
  #heard = { now: new Date(0), at: 0 };

  constructor(handler: Handler) {
    this.#handler = handler;
    this.#newEvents = new NewEvents(handler);
  }

  get name(): string {
    return this.#handler.name;
  }

  /** The checkpoint, as far as known. */
  get position(): number {
    return this.#newEvents.position;
  }

  /** True when the last look, or a hold ended since, left something to do. */
  get hasMore(): boolean {
    return this.#newEvents.isBehind || this.#due.size > 0;
  }

  /** No lane has become due before; null: look from the beginning. */
  get since(): Date | null {
    return this.#since;
  }

  /** Returns the present, by the clock of the database. */
  now(): Date {
    return new Date(this.#heard.now.getTime() + performance.now() - this.#heard.at);
  }

  /** Takes the news of a look at the database. */
  hear(news: News): void {
    if (this.#wasNewest && !news.isNewest) {
      logger.warn("Handing out nothing for {name}: a newer program reacts to other types of events", {
        name: this.name,
      });
    }
    this.#wasNewest = news.isNewest;
    this.#heard = { now: news.now, at: performance.now() };
    this.#newEvents.hear(news);
    for (const state of news.dueStates) this.#due.add(state);
    this.#moveSince(news);
  }

  /** Notes that a lane of the state is due. */
  expect(state: OpenState): void {
    this.#due.add(state);
  }

  /** Returns at most about `room` lanes, and the number of events passed over without interest. */
  async fetch(db: Database, room: number, held: HeldLane[]): Promise<Fetched> {
    if (this.#due.delete("in hand") && await reclaimLanes(db, this.#handler, this.#since) > 0) {
      this.#due.add("suspect");
    }
    // Half of the room is for lanes due: neither kind of work starves the other.
    const roomForNew = this.#due.size > 0 ? Math.ceil(room / 2) : room;
    const { lanes, passed, isNews } = this.#newEvents.isBehind
      ? await this.#newEvents.handOut(db, roomForNew)
      : NOTHING;
    const taken = await this.#take(db, wantedOf(room - lanes.length, [...held, ...lanes], this.#due));
    return { lanes: [...lanes, ...taken], passed, isNews: isNews || taken.length > 0 };
  }

  /** Returns a lane that may have killed three relays, if one is due and nothing else is being tried. */
  async fetchExclusive(db: Database, gate: Gate): Promise<HeldLane[]> {
    if (!this.#due.has("exclusive") || !gate.enterAlone()) return [];
    let lanes: HeldLane[] = [];
    try {
      lanes = await this.#take(db, { exclusive: 1 });
    } finally {
      if (lanes.length === 0) gate.leave();
    }
    return lanes;
  }

  async #take(db: Database, wanted: Wanted): Promise<HeldLane[]> {
    if (Object.keys(wanted).length === 0) return [];
    const lanes = await takeLanes(db, this.#handler, wanted, this.#since);
    for (const [state, number] of Object.entries(wanted) as [OpenState, number][]) {
      if (lanes.filter(({ was }) => was === state).length < number) this.#due.delete(state);
    }
    return lanes;
  }

  #moveSince({ now, dueStates }: News): void {
    const isSetBack = this.#since !== null && this.#since > now;
    if (isSetBack || performance.now() - this.#lookedFromBeginningAt > LOOK_FROM_BEGINNING_EVERY_MS) {
      this.#lookedFromBeginningAt = performance.now();
      this.#since = null;
    } else if (dueStates.length === 0) {
      this.#since = new Date(now.getTime() - SINCE_MARGIN_MS);
    }
  }
}
