import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { CheckpointBeyondLog } from "../../src/errors.ts";
import { subscribeReadModel } from "../../src/read/read-model.ts";
import { drain, drainBatch } from "../../src/relay/drain.ts";
import { createRelay } from "../../src/relay/relay.ts";
import { recordFailure } from "../../src/relay/refresh.ts";
import { relayStatus } from "../../src/relay/status.ts";
import type { Subscription } from "../../src/relay/subscription.ts";
import { aJar } from "../jars/arrange.ts";
import { gramsByLabel, jarDetails } from "../jars/jar.ts";
import { useTestDatabase } from "../support/database.ts";

const test = useTestDatabase({ jars: true });

const details = subscribeReadModel(jarDetails);
const grams = subscribeReadModel(gramsByLabel);

const relayWith = (...all: Subscription[]) => createRelay({ db: test.relay, subscriptions: all });

describe("drain", () => {
  it("writes nothing when there is nothing to do", async () => {
    await aJar(test.command, { grams: 5 });
    await drain(relayWith(details, grams), 5_000);
    const before = await rowVersions();

    expect(await drain(relayWith(details, grams), 5_000)).toEqual({ handled: 0, more: false });
    expect(await rowVersions()).toEqual(before);
  });

  it("hands out batches of the given size, in order, until nothing is left", async () => {
    const batches: number[][] = [];
    const watched: Subscription = {
      ...details,
      handle(db, batch) {
        batches.push(batch.events.map(({ position }) => position));
        return details.handle(db, batch);
      },
    };
    for (let jar = 0; jar < 7; jar++) await aJar(test.command);
    await drain(relayWith(), 5_000);
    const { position: from } = await checkpoint("jar_details");

    expect(await drain(relayWith(watched), 5_000, 3)).toEqual({ handled: 7, more: false });
    expect(batches).toEqual([[1, 2, 3], [4, 5, 6], [7]].map((batch) => batch.map((place) => from + place)));
  });

  it("says that there is more when a batch was too small", async () => {
    await aJar(test.command);
    await aJar(test.command);
    expect(await drainBatch(relayWith(details), 1)).toEqual({ handled: 1, more: true });
    await drainAll();
  });

  it("lets a subscription that fails rest, says why, and lets the others go on", async () => {
    await sql`alter table read.jar_details rename to broken`.execute(test.owner);
    await aJar(test.command, { label: "Plums", grams: 5 });
    await drainAll();

    const status = await relayStatus(test.relay, [details, grams]);
    expect(status.subscriptions).toMatchObject([
      { name: "jar_details", lag: 2, lastError: expect.stringContaining("jar_details") },
      { name: "grams_by_label", lag: 0, lastError: null },
    ]);
    expect(
      await test.query.selectFrom("read.grams_by_label").select("grams").where("label", "=", "Plums")
        .execute(),
    )
      .toEqual([{ grams: 5 }]);
    expect((await drainBatch(relayWith(details, grams))).handled).toBe(0);

    await sql`alter table read.broken rename to jar_details`.execute(test.owner);
    await drainAll();
    expect(await checkpoint("jar_details")).toMatchObject({ last_error: null });
  });

  it("does not handle again what another relay has handled", async () => {
    const { position } = await checkpoint("jar_details");
    await aJar(test.command);
    const stale = { from: position, to: position + 1, events: [] };
    await drainAll();
    const after = await checkpoint("jar_details");

    expect(await details.handle(test.relay, stale)).toBe(null);
    expect(await checkpoint("jar_details")).toEqual(after);
  });

  it("refuses to go on when a checkpoint is beyond the log", async () => {
    const restored = { ...(await checkpoint("jar_details")), position: 1_000_000 };
    await sql`update relay.checkpoints set position = ${restored.position} where subscription = 'jar_details'`
      .execute(test.owner);

    const draining = drain(relayWith(details, grams), 5_000);
    await expect(draining).rejects.toThrow(CheckpointBeyondLog);
    await expect(draining).rejects.toThrow("jar_details is at position 1000000, but the log ends at");
  });

  it("leaves out a subscription that has no checkpoint, and goes on with the others", async () => {
    await sql`update relay.checkpoints set position = 0 where subscription = 'jar_details'`.execute(
      test.owner,
    );
    const unknown = { ...details, name: "unheard_of" };
    expect((await drain(relayWith(unknown, details), 5_000)).handled).toBeGreaterThan(0);
  });

  it("lets the others go on when a subscription has a bug", async () => {
    await drainAll();
    await aJar(test.command, { grams: 5 });
    await makeDue();
    const buggy = { ...details, handle: () => Promise.reject(new TypeError("no such thing")) };
    expect(await drain(relayWith(buggy, grams), 5_000)).toEqual({
      handled: 2,
      more: true,
    });
    expect(await checkpoint("jar_details")).toMatchObject({ last_error: "no such thing" });
  });

  it("does not hold an old failure against a subscription that has gone on", async () => {
    const { position } = await checkpoint("grams_by_label");
    await recordFailure(test.relay, "grams_by_label", position - 1, "too late", 0);
    expect(await checkpoint("grams_by_label")).toMatchObject({ last_error: null });
  });
});

describe("a relay's share", () => {
  it.each([["all", 1], ["handlers", 1], ["views", 0]] as const)(
    "%s: timers are fired %d times",
    async (share, times) => {
      let fired = 0;
      const fire = () => Promise.resolve(void fired++);
      const timers = [{ name: "test", fire }];
      await drain(createRelay({ db: test.relay, subscriptions: [], share, timers }), 1_000);
      expect(fired).toBe(times);
    },
  );
});

describe("the status of the relay", () => {
  it("counts events that still wait for their position", async () => {
    await drainAll();
    await aJar(test.command);
    const status = await relayStatus(test.relay, [details]);
    expect(status).toMatchObject({ outbox: 1, subscriptions: [{ lag: 1 }] });
    expect(status.subscriptions[0]!.lagSeconds).toBeGreaterThan(0);
  });
});

/** Drains, with every read model due at once: none rests after a failure or a whole refresh. */
async function drainAll(): Promise<void> {
  await makeDue();
  await drain(relayWith(details, grams), 5_000);
}

async function makeDue(): Promise<void> {
  await sql`update relay.checkpoints set rests_until = '-infinity'`.execute(test.owner);
}

function checkpoint(name: string) {
  return test.relay.selectFrom("relay.checkpoints").select(["position", "last_error"])
    .where("subscription", "=", name).executeTakeFirstOrThrow();
}

/** Returns the physical versions of the rows: any write would change the result. */
async function rowVersions() {
  const { rows } = await sql`
    select 'state' as row, xmin::text, xmax::text, ctid::text from relay.state
    union all select subscription, xmin::text, xmax::text, ctid::text from relay.checkpoints
    union all select 'jars', max(xmin::text), max(xmax::text), max(ctid::text) from read.jar_details
    order by 1`.execute(test.owner);
  return rows;
}
