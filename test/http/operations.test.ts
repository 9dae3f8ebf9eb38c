import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { reportListener } from "../../src/relay/waking/listeners.ts";
import { newJar } from "../jars/http.ts";
import { OPS_TOKEN, useTestApp } from "../support/app.ts";
import { until } from "../support/until.ts";

const app = useTestApp();
const asOperator = { authorization: `Bearer ${OPS_TOKEN}` };

const relay = async () => (await app.get("/ops/relay", asOperator)).body;
const drain = () => app.post("/ops/relay/drain", undefined, asOperator);

describe("GET /ops/relay", () => {
  it("says how far the relay and each subscription has come", async () => {
    await app.drained();
    const { subscriptions, ...rest } = await relay();
    expect(rest).toEqual({ lastPosition: expect.any(Number), outbox: 0, relays: [], replica: null });
    // A program in a separate process has handlers, too.
    expect(subscriptions.filter(({ kind }: { kind: string }) => kind.startsWith("read model"))).toEqual(
      app.relay.subscriptions.map(({ name, kind }) => ({
        name,
        kind,
        position: expect.any(Number),
        lag: 0,
        lagSeconds: 0,
        failing: 0,
        parked: 0,
        lastError: null,
        failures: { count: 0, last: null },
        restsUntil: null,
        refreshMs: null,
      })),
    );
  });

  it("shows every relay that runs, and does not believe one that has fallen silent", async () => {
    const { owner } = app.database;
    const reporters = [reportListener(app.database.relay), reportListener(app.database.relay)];
    for (const reporter of reporters) await reporter.say(true);
    expect((await relay()).relays).toEqual(reporters.map(() => ({
      id: expect.any(String),
      listening: true,
      since: expect.any(String),
      seenAt: expect.any(String),
    })));

    const silentFor = (seconds: number) =>
      sql`update relay.listeners set seen_at = now() - ${seconds} * interval '1 second'`.execute(owner);
    await silentFor(60);
    await reporters[0]!.say(false);
    expect((await relay()).relays.map(({ listening }: { listening: boolean }) => listening)).toEqual([
      false,
      false,
    ]);
    await silentFor(600);
    await reporters[0]!.say(true);
    expect((await relay()).relays).toHaveLength(1);
    await reporters[0]!.leave();
    expect((await relay()).relays).toEqual([]);
  });

  it("counts what waits for its position, and what a subscription has not handled", async () => {
    await app.drained();
    const before = await relay();
    await newJar(app);
    await newJar(app);
    expect(await relay()).toMatchObject({ lastPosition: before.lastPosition, outbox: 2 });

    const [first] = before.subscriptions;
    await app.database.owner.updateTable("relay.checkpoints").set({ rests_until: new Date("2100-01-01") })
      .where("subscription", "=", first.name).execute();
    await drain();
    const { outbox, lastPosition, subscriptions } = await relay();
    expect({ outbox, lastPosition }).toEqual({ outbox: 0, lastPosition: before.lastPosition + 2 });
    expect(subscriptions[0]).toMatchObject({ position: first.position, lag: 2, lastError: null });
    expect(subscriptions[0].lagSeconds).toBeGreaterThan(0);
    expect(subscriptions[1]).toMatchObject({ lag: 0, lagSeconds: 0 });

    await app.database.owner.updateTable("relay.checkpoints").set({ rests_until: new Date(0) }).execute();
    await app.drained();
  });

  it("shows the error of a subscription that fails, until it succeeds", async () => {
    const { owner } = app.database;
    await owner.schema.withSchema("read").alterTable("jar_details").renameTo("hidden").execute();
    await newJar(app);
    await drain();
    const failed = (await relay()).subscriptions.find(({ name }: { name: string }) => name === "jar_details");
    expect(failed).toMatchObject({ lag: 1, lastError: expect.stringContaining("jar_details") });

    await owner.schema.withSchema("read").alterTable("hidden").renameTo("jar_details").execute();
    await until("it has been tried again", async () => {
      await drain();
      const { subscriptions } = await relay();
      return subscriptions.every(({ lag, lastError }: { lag: number; lastError: string | null }) =>
        lag === 0 && lastError === null
      );
    });
  });
});

describe("POST /ops/relay/drain", () => {
  it("drains what there is, each event once for every subscription", async () => {
    await drain();
    const { id } = await newJar(app);
    const { status, body } = await drain();
    const { subscriptions } = await relay();
    expect({ status, body }).toEqual({ status: 200, body: { handled: subscriptions.length, more: false } });
    expect((await app.get(`/jars/${id}`)).status).toBe(200);
    expect((await drain()).body).toEqual({ handled: 0, more: false });
  });
});
