import { sql } from "kysely";
import { beforeEach, describe, expect, it } from "vitest";
import { EventParked, ReadModelBehind } from "../../src/errors.ts";
import { ask } from "../../src/read/ask.ts";
import { itself, type ReadModel, subscribeReadModel } from "../../src/read/read-model.ts";
import { drain } from "../../src/relay/drain.ts";
import { listEvents } from "../../src/relay/events.ts";
import { listParked, retryAllParked, retryParked, skipParked } from "../../src/relay/handlers/parked.ts";
import { createRelay } from "../../src/relay/relay.ts";
import { relayStatus } from "../../src/relay/status.ts";
import { aJar } from "../jars/arrange.ts";
import { gramsByLabel, jarDetails } from "../jars/jar.ts";
import { useTestDatabase } from "../support/database.ts";
import { hold } from "../support/hold.ts";
import { appendRaw, makeKnown } from "../support/raw-events.ts";

const test = useTestDatabase({ jars: true });

/** A jar's details, stale also by events with the jar's id in their data. */
const details: ReadModel = {
  ...jarDetails,
  staleKeys: {
    JarOpened: itself,
    JarFilled: itself,
    JarMoved: ({ data }) => [(data as { jarId: string }).jarId],
  },
};
const subscriptions = [details, gramsByLabel].map(subscribeReadModel);

async function drainAll() {
  await sql`update relay.checkpoints set rests_until = '-infinity'`.execute(test.owner);
  return await drain(createRelay({ db: test.relay, subscriptions }), 10_000);
}

const append = (stream: string, type: string, data: object = {}, schemaVersion = 1) =>
  appendRaw(test, { stream, type, data, schemaVersion });

const parked = () => listParked(test.relay, ["", "", 0], 100);
const statusOf = async (name: string) =>
  (await relayStatus(test.relay, subscriptions)).subscriptions.find((one) => one.name === name)!;
const askFor = (eventId: string, waitMs = 10_000) =>
  ask(
    test.query,
    details,
    { level: "token", eventId, waitMs },
    (from) => test.query.selectFrom(from as "read.jar_details").selectAll(),
  );
const askEventually = () =>
  ask(
    test.query,
    details,
    { level: "eventual" },
    (from) => test.query.selectFrom(from as "read.jar_details").selectAll(),
  );

beforeEach(async () => {
  await sql`delete from relay.set_aside`.execute(test.owner);
  await aJar(test.command);
  await drainAll();
});

describe("an event that a read model cannot be refreshed for", () => {
  it.each([
    ["has no key of the right type in the name of its stream", "jar-foo", "JarOpened", {}, /uuid: "foo"/],
    ["has no key of the right type in its data", "van-1", "JarMoved", { jarId: "4711" }, /uuid: "4711"/],
    [
      "has no key in its data",
      "van-2",
      "JarMoved",
      { jar: "4711" },
      /Cannot make keys from JarMoved: undefined is no key/,
    ],
    ["has data of another kind", "van-3", "JarMoved", [null], /Cannot make keys/],
  ])(
    "is parked for the read model when it %s, and the others go on",
    async (_why, stream, type, data, error) => {
      await append(stream, type, data);
      await drainAll();
      expect(await parked()).toMatchObject([
        { subscription: "jar_details", stream, error: expect.stringMatching(error), waiting: 0, attempts: 1 },
      ]);
      const id = await aJar(test.command, { grams: 5 });
      await drainAll();
      expect((await askEventually()).rows.find(({ jar_id }) => jar_id === id)).toMatchObject({ grams: 5 });
      expect(await statusOf("jar_details")).toMatchObject({ parked: 1, failing: 0, lag: 1, lastError: null });
      expect(await statusOf("grams_by_label")).toMatchObject({ parked: 0, lag: 0 });
    },
  );

  it("is parked among others before any row is shown, and rests alone: the definition may be broken", async () => {
    await sql`delete from read.jar_details`.execute(test.owner);
    await append("jar-foo", "JarOpened");
    await drainAll();
    expect(await parked()).toEqual([]);
    expect(await statusOf("jar_details")).toMatchObject({
      parked: 0,
      lag: 1,
      lastError: expect.stringContaining("foo"),
    });
    await aJar(test.command);
    await drainAll();
    expect(await parked()).toMatchObject([{ stream: "jar-foo" }]);
    expect(await statusOf("jar_details")).toMatchObject({ parked: 1, lag: 1, lastError: null });
  });

  it("is parked for each version of the same stream, and each is retried and skipped by itself", async () => {
    const stream = `van-${crypto.randomUUID()}`;
    const ids = [];
    for (const jarId of ["a", "b", "c"]) ids.push(await append(stream, "JarMoved", { jarId }));
    await drainAll();
    expect((await parked()).map(({ version }) => version)).toEqual([1, 2, 3]);

    await skipParked(test.relay, { subscription: "jar_details", stream, version: 2 }, "No such jar", "ada");
    await retryParked(test.relay, { subscription: "jar_details", stream, version: 1 });
    expect(await statusOf("jar_details")).toMatchObject({ parked: 1, failing: 1, lag: 2 });
    await drainAll();
    expect((await parked()).map(({ version, attempts }) => [version, attempts])).toEqual([[1, 2], [3, 1]]);
    expect(await skippedVersions(stream)).toEqual([2]);
    await expect(askFor(ids[1]!)).rejects.toThrow(EventParked);
  });

  it("is shown after a retry, once the cause is gone", async () => {
    await breakFor("Sour");
    const [sour, sweet] = [
      await aJar(test.command, { label: "Sour" }),
      await aJar(test.command, { label: "Sweet" }),
    ];
    await drainAll();
    expect((await parked()).map(({ stream }) => stream)).toEqual([`jar-${sour}`]);
    expect((await askEventually()).rows.map(({ jar_id }) => jar_id)).toContain(sweet);
    await breakFor("nothing");
    expect(await retryAllParked(test.relay, { subscription: "jar_details", error: "division by zero" })).toBe(
      1,
    );
    expect((await drainAll()).handled).toBeGreaterThan(0);
    expect(await parked()).toEqual([]);
    expect((await askEventually()).rows.map(({ jar_id }) => jar_id)).toContain(sour);
  });

  it("does not hold up anybody who waits for another, and is told at once to those who wait for it", async () => {
    const before = await askEventually();
    const id = await append("van-9", "JarMoved", { jarId: "4711" });
    const other = await append(`jar-${crypto.randomUUID()}`, "JarOpened");
    await drainAll();
    const startedAt = performance.now();
    await expect(askFor(id)).rejects.toThrow(/event of the token was given up for jar_details/);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    const { position, asOf } = await askFor(other);
    expect(position).toBe(before.position);
    expect(asOf).toEqual(await recordedAt(id));
    await skipParked(
      test.relay,
      { subscription: "jar_details", stream: "van-9", version: 1 },
      "No jar",
      "ada",
    );
    await expect(askFor(id)).rejects.toThrow(EventParked);
    expect((await askEventually()).position).toBe(before.position + 2);
  });
});

describe("a definition that is broken", () => {
  it("parks nothing: the read model rests, and goes on where it stopped", async () => {
    const { position } = await askEventually();
    await breakFor("%");
    for (let jars = 0; jars < 3; jars++) await aJar(test.command);
    await drainAll();
    expect(await parked()).toEqual([]);
    expect(await statusOf("jar_details")).toMatchObject({ position, lag: 3, lastError: "division by zero" });
    await breakFor("nothing");
    await drainAll();
    expect(await statusOf("jar_details")).toMatchObject({ position: position + 3, lag: 0, lastError: null });
  });
});

describe("a definition that is broken for most rows", () => {
  it("is refreshed for the others: what fails is parked, although the rows shown cannot be refreshed either", async () => {
    await breakFor("Honey");
    const honey = await aJar(test.command);
    const sweet = await aJar(test.command, { label: "Sweet" });
    await drainAll();
    expect((await parked()).map(({ stream }) => stream)).toEqual([`jar-${honey}`]);
    expect((await askEventually()).rows.map(({ jar_id }) => jar_id)).toContain(sweet);
    await breakFor("nothing");
  });
});

describe("a table that is locked", () => {
  it("parks nothing, also when another event of the batch is to blame for a failure", async () => {
    await gate();
    await append("van-4", "JarMoved");
    await aJar(test.command, { label: "Free" });
    await aJar(test.command, { label: "Gated" });
    const locked = await hold(
      test.owner,
      (trx) => sql`lock table write.gate in access exclusive mode`.execute(trx),
    );
    const url = new URL(test.urls.relay);
    url.searchParams.set("options", "-c lock_timeout=100ms");
    const relay = createRelay({ db: test.open(url.href.replaceAll("+", "%20"), { max: 2 }), subscriptions });
    await sql`update relay.checkpoints set rests_until = '-infinity'`.execute(test.owner);
    await drain(relay, 5_000);
    await locked.commit();
    expect(await parked()).toEqual([]);
    expect(await statusOf("jar_details")).toMatchObject({
      lag: 3,
      lastError: expect.stringContaining("lock timeout"),
    });
    await drainAll();
    expect(await parked()).toMatchObject([{ stream: "van-4" }]);
  });
});

describe("a read model in another relay's hands", () => {
  it("is left alone by a relay that comes late, also with an event to set aside", async () => {
    await append("van-6", "JarMoved");
    await drainAll();
    await sql`delete from relay.set_aside`.execute(test.owner);
    const { position } = await statusOf("jar_details");
    const events = await listEvents(test.relay, position - 1, 1);
    const late = subscriptions[0]!.handle(test.relay, { from: position - 1, to: position, events });
    expect(await late).toBe(null);
    expect(await parked()).toEqual([]);
  });

  it("is not refreshed for an event set aside: an older state could follow a newer one", async () => {
    await append("van-5", "JarMoved", { jarId: "4711" });
    await drainAll();
    await retryAllParked(test.relay, { subscription: "jar_details" });
    const claimed = await hold(
      test.relay,
      (trx) => sql`select relay.claim(subscription, position) from relay.checkpoints`.execute(trx),
    );
    await drain(createRelay({ db: test.relay, subscriptions }), 1_000);
    await claimed.commit();
    expect(await statusOf("jar_details")).toMatchObject({ failing: 1, parked: 0 });
    await drainAll();
    expect(await parked()).toMatchObject([{ stream: "van-5", attempts: 2 }]);
  });
});

describe("an event of a newer program, as after a rolled back deploy", () => {
  it("waits, is not parked, and is shown by the program that knows its shape", async () => {
    const before = await askEventually();
    const id = await append("van-7", "JarMoved", { jarId: crypto.randomUUID() }, 2);
    await aJar(test.command);
    await drainAll();
    expect(await parked()).toEqual([]);
    expect(await statusOf("jar_details")).toMatchObject({ parked: 0, failing: 1, lag: 1 });
    expect((await askEventually()).position).toBe(before.position);
    await expect(askFor(id, 50)).rejects.toThrow(ReadModelBehind);
    expect(await waiting()).toEqual([
      { attempts: 0, error: "Version 2 of JarMoved is newer than this program, which knows version 1" },
    ]);

    expect(await retryAllParked(test.relay, { subscription: "jar_details" })).toBe(0);
    await makeDue();
    await drainAll();
    expect(await waiting()).toMatchObject([{ attempts: 0 }]);

    await makeKnown(test, id);
    await makeDue();
    await drainAll();
    expect(await waiting()).toEqual([]);
    expect((await askEventually()).position).toBe(before.position + 2);
  });
});

/** Divides by zero in the definition, for the labels like a pattern. */
async function breakFor(pattern: string): Promise<void> {
  await sql`
    create or replace view read.jar_details_source as select id as jar_id, label, grams,
      case when label like ${
    sql.lit(pattern)
  } then version / (version - version) else version end as version from write.jars`
    .execute(test.owner);
}

/** Has the definition read a table for jars labelled "Gated" only. */
async function gate(): Promise<void> {
  await sql.raw(`
    create table write.gate ();
    create function read.pass(label text) returns integer language plpgsql security definer as $$
    begin
      if label = 'Gated' then perform from write.gate; end if;
      return 0;
    end $$;
    call migrations.grant_to('relay', 'execute on function read.pass');
    create or replace view read.jar_details_source as
      select id as jar_id, label, grams, version + read.pass(label) as version from write.jars`).execute(
    test.owner,
  );
}

async function skippedVersions(stream: string): Promise<number[]> {
  const { rows } = await sql<{ version: number }>`
    select version from relay.skipped where stream = ${stream} and skipped_by = 'ada' and reason = 'No such jar'
      and position > 0`.execute(test.relay);
  return rows.map(({ version }) => version);
}

async function recordedAt(id: string): Promise<Date> {
  const row = await test.owner.selectFrom("write.events").select("recorded_at").where("id", "=", id)
    .executeTakeFirstOrThrow();
  return row.recorded_at;
}

async function waiting() {
  const { rows } = await sql`select attempts, last_error as error from relay.set_aside where due_at > now()`
    .execute(test.relay);
  return rows;
}

async function makeDue(): Promise<void> {
  await sql`update relay.set_aside set due_at = clock_timestamp()`.execute(test.owner);
}
