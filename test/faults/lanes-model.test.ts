import fc from "fast-check";
import { sql } from "kysely";
import { expect, it } from "vitest";
import { listEvents } from "../../src/relay/events.ts";
import { cutBatch } from "../../src/relay/handlers/cut-batch.ts";
import type { Handler } from "../../src/relay/handlers/handler.ts";
import type { HeldLane, LaneResult, OpenState } from "../../src/relay/handlers/lane.ts";
import { handOut, reclaimLanes, settleLanes, takeLanes, typesOf } from "../../src/relay/handlers/lanes.ts";
import { listParked, retryParked, skipParked } from "../../src/relay/handlers/parked.ts";
import { wantedOf } from "../../src/relay/handlers/wanted.ts";
import { numberEvents } from "../../src/relay/number.ts";
import { useTestDatabase } from "../support/database.ts";
import { addHandler, append, handlerOf } from "../support/handlers.ts";

// Any interleaving of three relays: each step is a call of the real functions, with the answers of earlier steps in
// the relays' memory. The version 2 of the streams k0 and k1 kills the relay that tries the event, with all it holds.

const test = useTestDatabase();
const RELAYS = 3;
const STREAMS = ["a", "b", "c", "k0", "k1"];
const ATTEMPTS_MAX = 3;
const ROOM = 4;
const STEPS_TO_END_MAX = 500;

const step = fc.record({
  kind: fc.constantFrom(
    ...["append", "append", "hand out", "hand out", "take", "take", "work", "work", "work", "work", "fail"],
    ...["keep", "die", "freeze", "thaw", "retry", "skip"],
  ),
  relay: fc.nat(RELAYS - 1),
  pick: fc.nat(50),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

it(
  "Lanes keep the order, lose nothing, park no innocent and come to an end, whatever three relays do",
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 120 }), async (steps) => {
        const world = await createWorld();
        for (const one of steps) await world.take(one);
        await world.toTheEnd();
      }),
      { numRuns: 25 },
    );
  },
  120_000,
);

async function createWorld() {
  const added = await addHandler(test, () => {}, { attemptsMax: ATTEMPTS_MAX });
  const [name, handler] = [added.name, handlerOf(added)];
  const prefix = crypto.randomUUID();
  const relays = Array.from({ length: RELAYS }, () => new ModelRelay(handler));
  const appended = new Map<string, number>();
  /** The last version of each stream told or skipped, without a gap before. */
  const reached = new Map<string, number>();
  await look(name, handler);

  const note = (stream: string, version: number) => {
    const last = reached.get(stream) ?? 0;
    expect(version, `the version told of ${stream}`).toBeLessThanOrEqual(last + 1);
    reached.set(stream, Math.max(last, version));
  };
  const parked = async () =>
    (await listParked(test.relay, [name, "", 0], 100)).filter((one) => one.subscription === name);

  async function take({ kind, relay: place, pick }: Step): Promise<void> {
    const relay = relays[place]!;
    const stream = `${prefix}-${STREAMS[pick % STREAMS.length]}`;
    if (kind === "append") {
      await append(test, stream);
      appended.set(`test-${stream}`, (appended.get(`test-${stream}`) ?? 0) + 1);
    }
    if (kind === "hand out") await relay.handOut(await look(name, handler));
    if (kind === "take") await relay.take(await look(name, handler));
    if (kind === "work" || kind === "fail") await relay.work(pick, kind === "fail", note);
    if (kind === "keep") await relay.keep();
    if (kind === "die") await relay.die();
    if (kind === "freeze") await relay.freeze();
    if (kind === "thaw") await relay.thaw();
    const [first] = kind === "retry" || kind === "skip" ? await parked() : [];
    if (first && kind === "retry") await retryParked(test.relay, first);
    if (first && kind === "skip") {
      await skipParked(test.relay, first, "by the model", "model");
      note(first.stream, first.version);
    }
  }

  /** Lets one relay work without further trouble; skips the killers when they are parked. */
  async function toTheEnd(): Promise<void> {
    for (const relay of relays) await relay.die();
    for (let steps = 0; steps < STEPS_TO_END_MAX; steps++) {
      await sql`update relay.lanes set due_at = clock_timestamp()
        where subscription = ${name} and state not in ('in hand', 'ready', 'parked')`.execute(test.owner);
      const outlook = await look(name, handler);
      const worker = relays[steps % RELAYS]!;
      await worker.handOut(outlook);
      await worker.take(await look(name, handler));
      while (worker.held.length > 0) await worker.work(0, false, note);
      for (const one of await parked()) {
        // Lost four times: only a killer. Failed too often: anything.
        if (one.error?.startsWith("Never came back")) expect(isKiller(one)).toBe(true);
        if (isKiller(one)) {
          await skipParked(test.relay, one, "it kills", "model");
          note(one.stream, one.version);
        } else await retryParked(test.relay, one);
      }
      const { rows } = await sql`select from relay.lanes where subscription = ${name}`.execute(test.owner);
      const { position, lastPosition } = await look(name, handler);
      if (rows.length === 0 && position === lastPosition) return expect(reached).toEqual(appended) as void;
    }
    throw new Error("The lanes did not come to an end");
  }

  return { take, toTheEnd };
}

interface Look {
  position: number;
  lastPosition: number;
  due: Set<string>;
}

async function look(name: string, handler: Handler): Promise<Look> {
  const { lastPosition, checkpoints, lanes } = await numberEvents(test.relay, 1_000, [
    { name, types: typesOf(handler), since: null },
  ]);
  const { position } = checkpoints.find((one) => one.name === name)!;
  return { position, lastPosition, due: new Set(lanes[0]!.dueStates) };
}

/** A relay of the model: the lanes in hand, all of them being tried at once. */
class ModelRelay {
  held: HeldLane[] = [];
  #frozen: LaneResult[] = [];
  readonly #handler: Handler;

  constructor(handler: Handler) {
    this.#handler = handler;
  }

  async handOut({ position: from }: Look): Promise<void> {
    if (this.#holdsExclusive()) return;
    const page = await listEvents(test.relay, from, 1_000);
    const { batch, work } = cutBatch(page, ROOM - this.held.length, () => true);
    const to = batch.at(-1)?.position;
    if (to === undefined) return;
    const streams = work.map(({ events: _, ...stream }) => stream);
    const { hold, waiting } = await handOut(test.relay, this.#handler, { from, to, work: streams });
    if (hold === null) return;
    for (const { stream, first, last, events } of work.filter((one) => !waiting?.includes(one.stream))) {
      const name = { subscription: this.#handler.name, stream, hold };
      this.held.push({
        ...name,
        to: first - 1,
        tryingTo: last,
        attempts: 0,
        was: "ready",
        events,
        isLost: false,
      });
    }
  }

  async take({ due }: Look): Promise<void> {
    if (due.has("in hand")) await reclaimLanes(test.relay, this.#handler, null);
    if (this.#holdsExclusive()) return;
    const all = new Set<OpenState>(["ready", "resting", "suspect", "alone"]);
    const wanted = this.held.length === 0 && due.has("exclusive")
      ? { exclusive: 1 }
      : wantedOf(ROOM - this.held.length, this.held, new Set([...all].filter((state) => due.has(state))));
    if (Object.keys(wanted).length > 0) {
      this.held.push(...await takeLanes(test.relay, this.#handler, wanted, null));
    }
  }

  /** Tries the next event of a held lane. */
  async work(pick: number, fails: boolean, note: (stream: string, version: number) => void): Promise<void> {
    const lane = this.held[pick % Math.max(1, this.held.length)];
    if (!lane) return;
    const event = lane.events.find(({ version }) => version > lane.to);
    if (event && isKiller(event)) return await this.die();
    if (event && !fails) {
      note(event.stream, event.version);
      lane.to = event.version;
      lane.attempts = 0;
      if (event.version < lane.tryingTo) return;
    }
    this.held = this.held.filter((one) => one !== lane);
    const attempts = lane.attempts + 1;
    const result = resultOf(lane);
    await settleLanes(test.relay, [
      event && fails
        ? { ...result, error: "failed", attempts, rests_ms: 0, park: attempts >= ATTEMPTS_MAX }
        : { ...result, to: lane.tryingTo },
    ]);
  }

  async keep(): Promise<void> {
    if (this.held.length > 0) {
      await settleLanes(test.relay, this.held.map((lane) => ({ ...resultOf(lane), keep: true })));
    }
  }

  /** Dies with everything in hand; the leases run out. */
  async die(): Promise<void> {
    await this.#loseLeases();
    this.held = [];
  }

  /** Stops for longer than a lease: others may have everything meanwhile. */
  async freeze(): Promise<void> {
    this.#frozen.push(...this.held.map((lane) => ({ ...resultOf(lane), to: lane.tryingTo })));
    await this.die();
  }

  /** Goes on after the stop, and says what another relay may know better: refused if anybody has looked. */
  async thaw(): Promise<void> {
    const late = this.#frozen;
    this.#frozen = [];
    await reclaimLanes(test.relay, this.#handler, null);
    const before = await this.#lanes();
    if (late.length > 0) expect(await settleLanes(test.relay, late)).toEqual([]);
    expect(await this.#lanes()).toEqual(before);
  }

  async #loseLeases(): Promise<void> {
    for (const { stream, hold } of this.held) {
      await sql`update relay.lanes set due_at = clock_timestamp()
        where subscription = ${this.#handler.name} and stream = ${stream} and hold = ${hold}`.execute(
        test.owner,
      );
    }
  }

  async #lanes() {
    return await test.owner.selectFrom("relay.lanes").selectAll().where(
      "subscription",
      "=",
      this.#handler.name,
    )
      .orderBy("stream").execute();
  }

  #holdsExclusive(): boolean {
    return this.held.some(({ was }) => was === "exclusive");
  }
}

function resultOf({ subscription, stream, hold, to }: HeldLane): LaneResult {
  return { subscription, stream, hold, to };
}

function isKiller({ stream, version }: { stream: string; version: number }): boolean {
  return /-k\d$/.test(stream) && version === 2;
}
