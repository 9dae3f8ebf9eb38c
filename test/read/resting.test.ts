import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { subscribeReadModel } from "../../src/read/read-model.ts";
import { drain, drainBatch } from "../../src/relay/drain.ts";
import { recordFailure } from "../../src/relay/refresh.ts";
import { createRelay } from "../../src/relay/relay.ts";
import { relayStatus } from "../../src/relay/status.ts";
import { aJar } from "../jars/arrange.ts";
import { gramsByLabel, jarDetails } from "../jars/jar.ts";
import { useTestDatabase } from "../support/database.ts";
import { append } from "../support/handlers.ts";
import { hold, untilBlocked } from "../support/hold.ts";

const test = useTestDatabase({ jars: true });

const [details, grams] = [jarDetails, gramsByLabel].map(subscribeReadModel) as [Subscription, Subscription];
type Subscription = ReturnType<typeof subscribeReadModel>;
const relayOf = (...subscriptions: Subscription[]) => createRelay({ db: test.relay, subscriptions });
const statusOf = async (subscription: Subscription) =>
  (await relayStatus(test.relay, [subscription])).subscriptions[0]!;
const makeDue = () => sql`update relay.checkpoints set rests_until = '-infinity'`.execute(test.owner);

describe("a refresh that exceeds a time limit", () => {
  it.each([
    ["of statements", { deadlineMs: 1_500 }, "1min", /statement timeout/],
    ["of locks", { deadlineMs: 60_000 }, "200ms", /lock timeout/],
  ])("%s is recorded, named and rested like any failure", async (_whose, limit, lockTimeout, error) => {
    await makeDue();
    await aJar(test.command);
    const impatient = test.open(withLockTimeout(test.urls.relay, lockTimeout), { max: 2, ...limit });
    const table = await hold(
      test.owner,
      (trx) => sql`lock table write.jars in access exclusive mode`.execute(trx),
    );
    const relay = createRelay({ db: impatient, subscriptions: [details, grams] });
    expect((await drain(relay, 5_000)).handled).toBe(0);
    await table.commit();
    for (const subscription of [details, grams]) {
      const status = await statusOf(subscription);
      expect(status).toMatchObject({ lag: expect.any(Number), lastError: expect.stringMatching(error) });
      expect(status.failures).toMatchObject({
        count: expect.any(Number),
        last: expect.stringMatching(error),
      });
      expect(status.failures.count).toBeGreaterThan(0);
      expect(status.restsUntil!.getTime()).toBeGreaterThan(Date.now());
    }
    await makeDue();
    await drain(relayOf(details, grams), 5_000);
    expect(await statusOf(details)).toMatchObject({
      lag: 0,
      lastError: null,
      failures: { last: expect.any(String) },
    });
  });
});

describe("failures of a read model that fails now and then", () => {
  it("are counted for ten minutes", async () => {
    await sql`delete from relay.failures`.execute(test.owner);
    await sql`insert into relay.failures values
      ('jar_details', now() - interval '11 minutes', 'long ago'), ('jar_details', now() - interval '9 minutes', 'lately')`
      .execute(test.owner);
    const { position, ...status } = await statusOf(details);
    expect(status).toMatchObject({ lastError: null, failures: { count: 1, last: "lately" } });
    await recordFailure(test.relay, "jar_details", position, "now", 0);
    const { rows } = await sql`select error from relay.failures order by failed_at`.execute(test.owner);
    expect(rows).toEqual([{ error: "lately" }, { error: "now" }]);
  });
});

describe("a rest", () => {
  it("is over when it begins in the future: the clock was set back", async () => {
    await aJar(test.command);
    const rest = (from: string) =>
      sql`
      update relay.checkpoints set rests_from = now() + ${
        sql.lit(from)
      }::interval, rests_until = now() + interval '10 minutes'`
        .execute(test.owner);
    await rest("-1 second");
    expect((await drain(relayOf(details, grams), 5_000)).handled).toBe(0);
    await rest("5 minutes");
    expect((await drain(relayOf(details, grams), 5_000)).handled).toBe(2);
  });
});

describe("a read model that is refreshed as a whole", () => {
  it("is at the end of the log after one refresh, however many events there were", async () => {
    await makeDue();
    for (let jars = 0; jars < 30; jars++) await aJar(test.command);
    await drain(relayOf(), 5_000);
    const before = await statusOf(grams);
    expect(before.lag).toBeGreaterThan(20);
    const relay = relayOf(grams);
    await drainBatch(relay, 10);
    await relay.tasks.waitForAll(10_000);
    expect(await statusOf(grams)).toMatchObject({ position: before.position + before.lag, lag: 0 });
    expect((await statusOf(grams)).refreshMs).toBeGreaterThanOrEqual(0);
  });

  it("is not beyond events numbered during the refresh: the content lacks them", async () => {
    await makeDue();
    await aJar(test.command);
    await drain(relayOf(), 5_000);
    const { position, lag } = await statusOf(grams);
    const table = await hold(
      test.owner,
      (trx) => sql`lock table write.jars in access exclusive mode`.execute(trx),
    );
    const relay = relayOf(grams);
    const refreshing = drainBatch(relay).then(() => relay.tasks.waitForAll(10_000));
    await untilBlocked(test.owner);
    await append(test, "meanwhile");
    await drain(relayOf(), 5_000);
    await table.commit();
    await refreshing;
    expect(await statusOf(grams)).toMatchObject({ position: position + lag, lag: 1 });
  });
});

function withLockTimeout(url: string, limit: string): string {
  const changed = new URL(url);
  changed.searchParams.set("options", `-c lock_timeout=${limit}`);
  // In URLs of databases, a plus sign is no space.
  return changed.href.replaceAll("+", "%20");
}
