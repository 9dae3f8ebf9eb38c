import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Database } from "../../src/database/database.ts";
import { ask, type Consistency } from "../../src/read/ask.ts";
import { type ReadModel, subscribeReadModel } from "../../src/read/read-model.ts";
import { drain, drainBatch } from "../../src/relay/drain.ts";
import { createRelay } from "../../src/relay/relay.ts";
import type { Command } from "../../src/write/command.ts";
import { execute } from "../../src/write/execute.ts";
import { aJar } from "../jars/arrange.ts";
import { fillJar, type Jar, jarDetails, type JarEvent, openJar } from "../jars/jar.ts";
import { anybody } from "../support/context.ts";
import { useTestDatabase } from "../support/database.ts";
import { useProxy } from "../support/proxy.ts";

/** Keeps the order: messages sent without waiting pass the proxy before the first answer. */
const DELAY_MS = 5;
/** Round trips before the first statement on a new connection: startup, and two for the password (SCRAM). */
const CONNECTING = 3;

const test = useTestDatabase({ jars: true });
const proxy = useProxy(() => test.urls.owner);

const honey = { input: { label: "Honey" } };

/** Opens a jar, after a look at all jars. */
const openAfterLook: Command<{ label: string }, Jar, JarEvent, { jars: number }> = {
  ...openJar,
  load: (db) => db.selectFrom("write.jars").select((eb) => eb.fn.countAll<number>().as("jars")),
  decide: ({ label }, { jars }) => [{ type: "JarOpened", data: { label: `${label} ${jars}` } }],
};

/** Read models that a new jar leaves unchanged: only their checkpoints move. */
const UNTOUCHED = ["first", "second", "third", "fourth"];
const readModels: ReadModel[] = [
  jarDetails,
  ...UNTOUCHED.map((name) => ({ name, refresh: "changed keys" as const, staleKeys: {} })),
];
const subscriptions = readModels.map(subscribeReadModel);

beforeAll(async () => {
  const checkpoints = UNTOUCHED.map((subscription) => ({ subscription, position: 0 }));
  await test.owner.insertInto("relay.checkpoints").values(checkpoints).execute();
});

beforeEach(() => {
  proxy.delayMs = DELAY_MS;
});

describe.each([
  { connections: "open connections", isOpen: true, prepare: true },
  { connections: "open connections that cannot prepare", isOpen: true, prepare: false },
  { connections: "new connections", isOpen: false, prepare: true },
  { connections: "new connections that cannot prepare", isOpen: false, prepare: false },
])("on $connections,", ({ isOpen, prepare }) => {
  const connecting = isOpen ? 0 : CONNECTING;

  /** Counts round trips in a row: on open connections, after a first run has prepared the statements. */
  async function roundTripsOf(
    role: "command" | "query" | "relay",
    work: (db: Database) => Promise<unknown>,
  ): Promise<number> {
    const db = test.open(proxy.url(test.urls[role]), { max: 1, prepare });
    if (isOpen) await work(db);
    Object.assign(proxy, { roundTrips: 0, roundTripsInARow: 0 });
    const began = performance.now();
    await work(db);
    const tookMs = performance.now() - began;
    // A timer may be early by a part of a millisecond.
    expect(tookMs).toBeGreaterThan(proxy.roundTripsInARow * 2 * (proxy.delayMs - 1));
    expect(proxy.roundTripsInARow).toBe(proxy.roundTrips);
    await db.destroy();
    return proxy.roundTripsInARow - connecting;
  }

  describe("a command", () => {
    it("that has nothing to load takes one round trip", async () => {
      expect(await roundTripsOf("command", (db) => execute(db, openJar, honey, anybody))).toBe(1);
    });

    it("takes one round trip with an idempotency key, too", async () => {
      const keyed = () => ({ ...anybody, idempotencyKey: crypto.randomUUID() });
      expect(await roundTripsOf("command", (db) => execute(db, openJar, honey, keyed()))).toBe(1);
    });

    it("that loads takes two, whatever it loads", async () => {
      expect(await roundTripsOf("command", (db) => execute(db, openAfterLook, honey, anybody))).toBe(2);

      const more = { id: await aJar(test.command), input: { grams: 1 } };
      expect(await roundTripsOf("command", (db) => execute(db, fillJar, more, anybody))).toBe(2);
    });
  });

  it("a query takes one round trip, with a token or without, eventual or strong", async () => {
    const id = await aJar(test.command);
    await drain(createRelay({ db: test.relay, subscriptions }), 5_000);
    const { id: eventId } = await test.command.selectFrom("write.events").select("id")
      .where("stream", "=", `jar-${id}`).executeTakeFirstOrThrow();
    const token = { level: "token", eventId, waitMs: 0 } as const;

    expect(await roundTripsOf("query", (db) => findJar(db, id, { level: "eventual" }))).toBe(1);
    expect(await roundTripsOf("query", (db) => findJar(db, id, token))).toBe(1);
    expect(await roundTripsOf("query", (db) => findJar(db, id, { level: "strong" }))).toBe(1);
    expect(await roundTripsOf("query", (db) => listJars(db, { level: "eventual" }))).toBe(1);
  });

  describe("the relay", () => {
    beforeEach(async () => void await drain(createRelay({ db: test.relay, subscriptions }), 5_000));

    const showAJar = (count: number) => async (db: Database) => {
      const relay = createRelay({ db, subscriptions: subscriptions.slice(0, count) });
      await aJar(test.command);
      const { handled } = await drainBatch(relay);
      await relay.tasks.waitForAll(5_000);
      expect(handled + relay.tasks.collect()).toBe(count);
    };

    it("takes one round trip when there is nothing to do", async () => {
      const look = (db: Database) => drainBatch(createRelay({ db, subscriptions }));
      expect(await roundTripsOf("relay", look)).toBe(1);
    });

    it("takes three from an event to a read model", async () => {
      expect(await roundTripsOf("relay", showAJar(1))).toBe(3);
    });

    it("takes no more from an event to all read models: they are refreshed together", async () => {
      expect(await roundTripsOf("relay", showAJar(subscriptions.length))).toBe(3);
    });
  });
});

function findJar(db: Database, id: string, consistency: Consistency) {
  return ask(
    db,
    jarDetails,
    consistency,
    (from) => db.selectFrom(from).select(["label", "grams", "version"]).where("jar_id", "=", id),
  );
}

function listJars(db: Database, consistency: Consistency) {
  return ask(
    db,
    jarDetails,
    consistency,
    (from) => db.selectFrom(from).select(["jar_id", "label"]).orderBy("label").orderBy("jar_id").limit(10),
  );
}
