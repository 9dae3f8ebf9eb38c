import type { Database } from "../../database/database.ts";
import { sleep } from "../../sleep.ts";
import type { RecordedEvent } from "../../write/event.ts";
import { listEvents } from "../events.ts";
import { cutBatch, type StreamEvents } from "./cut-batch.ts";
import type { Handler } from "./handler.ts";
import type { HeldLane } from "./lane.ts";
import { handOut } from "./lanes.ts";
import type { News } from "./news.ts";
import { isOurs } from "./try-lane.ts";

/** Lanes for a worker. */
export interface Fetched {
  lanes: HeldLane[];
  /** The number of events passed over without interest. */
  passed: number;
  /** False when another look would find nothing either. */
  isNews: boolean;
}

export const NOTHING: Fetched = { lanes: [], passed: 0, isNews: false };

const PAGE_EVENTS = 1_000;
const REFUSALS_MAX = 5;
const REFUSED_MS_MAX = 20;

/** The events after the checkpoint of a handler. Keeps the events read until they are handed out. */
export class NewEvents {
  readonly #handler: Handler;
  #position = 0;
  #lastPosition = 0;
  #mayHandOut = false;
  /** Events read, not handed out yet: the first is the first after the checkpoint. */
  #page: RecordedEvent[] = [];
  #eventsAfter: News["eventsAfter"] | undefined;
  #refusals = 0;

  constructor(handler: Handler) {
    this.#handler = handler;
  }

  /** The checkpoint, as far as known. */
  get position(): number {
    return this.#position;
  }

  get isBehind(): boolean {
    return this.#mayHandOut && this.#position < this.#lastPosition;
  }

  hear({ position, lastPosition, mayHandOut, eventsAfter }: News): void {
    this.#moveTo(position);
    this.#lastPosition = lastPosition;
    this.#mayHandOut = mayHandOut;
    this.#eventsAfter = eventsAfter;
    this.#refusals = 0;
  }

  /** Hands out the next events, of at most `room` streams. Returns the new lanes. */
  async handOut(db: Database, room: number): Promise<Fetched> {
    const from = this.#position;
    if (this.#page.length === 0) {
      const page = await this.#readPage(db, from);
      // Heard of meanwhile: another relay has moved the checkpoint.
      if (this.#position !== from) return { ...NOTHING, isNews: true };
      this.#page = page;
    }
    const { batch, work } = cutBatch(this.#page, room, (event) => isOurs(this.#handler, event));
    const to = batch.at(-1)?.position;
    if (to === undefined) return NOTHING;
    const streams = work.map(({ events: _, ...stream }) => stream);
    const { hold, waiting, position } = await handOut(db, this.#handler, { from, to, work: streams });
    this.#moveTo(position);
    if (hold === null) return await this.#refused(position === from);
    this.#refusals = 0;
    const lanes = work.filter(({ stream }) => !waiting?.includes(stream)).map((own) =>
      this.#laneOf(own, hold)
    );
    return { lanes, passed: batch.length - work.flatMap(({ events }) => events).length, isNews: true };
  }

  #laneOf({ stream, first, last, events }: StreamEvents, hold: number): HeldLane {
    const name = { subscription: this.#handler.name, stream, hold };
    return { ...name, to: first - 1, tryingTo: last, attempts: 0, was: "ready", events, isLost: false };
  }

  async #readPage(db: Database, from: number): Promise<RecordedEvent[]> {
    const read = this.#eventsAfter ?? ((position) => listEvents(db, position, PAGE_EVENTS));
    this.#eventsAfter = undefined;
    return await read(from);
  }

  /** Another relay hands out at the moment, or was faster: waits a moment, and gives up after some refusals. */
  async #refused(isBusy: boolean): Promise<Fetched> {
    if (!isBusy) return { ...NOTHING, isNews: true };
    this.#mayHandOut = ++this.#refusals < REFUSALS_MAX;
    await sleep(Math.random() * REFUSED_MS_MAX);
    return { ...NOTHING, isNews: this.#mayHandOut };
  }

  /** Notes the checkpoint. The page stays only if the next event is still in the page. */
  #moveTo(position: number): void {
    this.#page = position < this.#position ? [] : this.#page.filter((event) => event.position > position);
    this.#position = position;
  }
}
