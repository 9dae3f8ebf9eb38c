import { sql } from "kysely";
import { afterEach, describe, expect, it } from "vitest";
import { subscriptions } from "../../src/app.ts";
import { runRelay } from "../../src/relay/run.ts";
import { aProduct } from "../support/arrange.ts";
import { useTestDatabase } from "../support/database.ts";
import { hold, untilBlocked } from "../support/hold.ts";
import { until } from "../support/until.ts";

const test = useTestDatabase();

const HOUR_MS = 3_600_000;

let stopping = new AbortController();
let running: Promise<void> = Promise.resolve();

function startRelay(pollMs?: number) {
  stopping = new AbortController();
  running = runRelay(
    { db: test.relay, subscriptions, delayMs: 0 },
    test.urls.direct,
    stopping.signal,
    pollMs,
  );
}

afterEach(async () => {
  stopping.abort();
  await running;
});

describe("a command", () => {
  it("notifies when the relay sleeps, and only then", async () => {
    const heard = await listen();
    await aProduct(test.command);
    await until("a notification has come", () => heard.count === 1);

    await sql`update relay.state set awake_until = clock_timestamp() + interval '1 minute'`.execute(
      test.owner,
    );
    await aProduct(test.command);
    await sql`update relay.state set awake_until = '-infinity'`.execute(test.owner);
    await aProduct(test.command);
    await until("the second notification has come", () => heard.count >= 2);
    expect(heard.count).toBe(2);
  });
});

describe("a running relay", () => {
  it("is woken by notifications alone", async () => {
    startRelay(HOUR_MS);
    for (let turn = 0; turn < 20; turn++) await untilShown(await aProduct(test.command));
  });

  it("finds by itself what it was not notified of", async () => {
    await sql`alter table write.outbox disable trigger outbox_wakes_the_relay`.execute(test.owner);
    startRelay();
    await untilShown(await aProduct(test.command));
    await untilShown(await aProduct(test.command));
    await sql`alter table write.outbox enable trigger outbox_wakes_the_relay`.execute(test.owner);
  });

  it("says it is awake while it is busy, and no longer when it has nothing to do", async () => {
    startRelay();
    const states = new Set<boolean>();
    await until("it has said it is awake", async () => {
      await Promise.all(Array.from({ length: 20 }, () => aProduct(test.command)));
      states.add(await awakeUntil() > Date.now());
      return states.has(true);
    });
    await until("it has said it is asleep", async () => (await awakeUntil()) === -Infinity);
  });

  it("looks once more after it has said it is asleep: a writer may have seen it awake", async () => {
    startRelay(HOUR_MS);
    await until("it has said it is awake", async () => {
      await Promise.all(Array.from({ length: 20 }, () => aProduct(test.command)));
      return await awakeUntil() > Date.now();
    });
    let id = "";
    // The lock makes the relay wait before it says it is asleep, until the writer has committed.
    const writer = await hold(test.owner, async (trx) => {
      await sql`update relay.state set awake_until = clock_timestamp() + interval '1 minute'`.execute(trx);
      id = await aProduct(trx);
    });
    await untilBlocked(test.owner);
    await writer.commit();
    await untilShown(id);
  });

  it("goes on after its connections were cut", async () => {
    startRelay();
    await untilShown(await aProduct(test.command));
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where usename = ${`${test.name}_relay`}`
      .execute(test.open(test.urls.relay, { max: 1 })).catch(() => {});
    await untilShown(await aProduct(test.command));
  });
});

async function untilShown(id: string): Promise<void> {
  await until(`product ${id} is shown`, async () => {
    const shown = await test.query.selectFrom("read.product_catalog").select("name").where(
      "product_id",
      "=",
      id,
    ).execute();
    return shown.length > 0;
  });
}

/** Milliseconds since 1970, or -Infinity. */
async function awakeUntil(): Promise<number> {
  const { rows } = await sql<{ ms: number | null }>`
    select case when isfinite(awake_until) then extract(epoch from awake_until)::float * 1000 end as ms
    from relay.state`.execute(test.owner);
  return rows[0]?.ms ?? -Infinity;
}

async function listen(): Promise<{ count: number }> {
  const heard = { count: 0 };
  await test.driver(test.urls.relay).listen("relay", () => heard.count++);
  return heard;
}
