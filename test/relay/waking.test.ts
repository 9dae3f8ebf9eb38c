import { sql } from "kysely";
import { afterEach, describe, expect, it } from "vitest";
import { subscribeReadModel } from "../../src/read/read-model.ts";
import { BATCH_EVENTS_MAX } from "../../src/relay/drain.ts";
import { createRelay } from "../../src/relay/relay.ts";
import { runRelay } from "../../src/relay/waking/run.ts";
import { aJar } from "../jars/arrange.ts";
import { jarDetails } from "../jars/jar.ts";
import { untilShown } from "../jars/shown.ts";
import { useTestDatabase } from "../support/database.ts";
import { hold } from "../support/hold.ts";
import { until } from "../support/until.ts";

const test = useTestDatabase({ jars: true });

const HOUR_MS = 3_600_000;
const NOBODY = "postgres://nobody@127.0.0.1:1/nowhere";

let stopping = new AbortController();
let running: Promise<void> = Promise.resolve();

function startRelay(pollMs?: number, directUrl = test.urls.direct) {
  stopping = new AbortController();
  running = runRelay(
    createRelay({ db: test.relay, subscriptions: [subscribeReadModel(jarDetails)] }),
    directUrl,
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
    await aJar(test.command);
    await sql`update relay.state set awake_until = clock_timestamp() + interval '1 minute'`.execute(
      test.owner,
    );
    await aJar(test.command);
    await sql`update relay.state set awake_until = '-infinity'`.execute(test.owner);
    await aJar(test.command);
    await sql`select pg_notify('relay', 'the end')`.execute(test.owner);
    await until("the end was heard", () => heard.includes("the end"));
    expect(heard).toEqual(["", "", "the end"]);
  });
});

describe("a running relay", () => {
  it("is woken by notifications alone", async () => {
    startRelay(HOUR_MS);
    for (let turn = 0; turn < 20; turn++) await untilShown(test, await aJar(test.command));
  });

  it("finds by itself what it was not notified of", async () => {
    await sql`alter table write.outbox disable trigger outbox_wakes_the_relay`.execute(test.owner);
    startRelay();
    await untilShown(test, await aJar(test.command));
    await untilShown(test, await aJar(test.command));
    await sql`alter table write.outbox enable trigger outbox_wakes_the_relay`.execute(test.owner);
  });

  it("says it is awake while it is busy, and no longer when it has nothing to do", async () => {
    startRelay();
    const states = new Set<boolean>();
    await until("it has said it is awake", async () => {
      await Promise.all(Array.from({ length: 20 }, () => aJar(test.command)));
      states.add(await awakeUntil() > Date.now());
      return states.has(true);
    });
    await until("it has said it is asleep", async () => (await awakeUntil()) === -Infinity);
  });

  it("looks once more after it has said it is asleep: a writer may have seen it awake", async () => {
    await closeGateBeforeSleep();
    const gate = await hold(
      test.owner,
      (trx) => sql`lock table relay.gate in access exclusive mode`.execute(trx),
    );
    // With more than a batch, the relay declares itself awake; no polling or notification wakes it later.
    // Several: on a slow machine, some end too late to be seen one after another.
    await appendMany(5 * BATCH_EVENTS_MAX + 1);
    startRelay(HOUR_MS, NOBODY);
    await until("it is about to say that it is asleep", isAtGate);
    const id = await aJar(test.command);
    await gate.commit();
    await untilShown(test, id);
  });

  it("goes on after its connections were cut", async () => {
    startRelay();
    await untilShown(test, await aJar(test.command));
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where usename = ${`${test.name}_relay`}`
      .execute(test.open(test.urls.relay, { max: 1 })).catch(() => {});
    await untilShown(test, await aJar(test.command));
  });
});

/** Returns milliseconds since 1970, or -Infinity. */
async function awakeUntil(): Promise<number> {
  const { rows } = await sql<{ ms: number | null }>`
    select case when isfinite(awake_until) then extract(epoch from awake_until)::float * 1000 end as ms
    from relay.state`.execute(test.owner);
  return rows[0]?.ms ?? -Infinity;
}

async function appendMany(events: number): Promise<void> {
  await sql`
    select write.append(${`many-${crypto.randomUUID()}`}, 0, (
      select jsonb_agg(jsonb_build_object('id', gen_random_uuid(), 'type', 'Many', 'data', '{}'::jsonb, 'metadata', '{}'::jsonb))
      from generate_series(1, ${events}::integer)
    ), null)`.execute(test.command);
}

/** Returns the payloads heard on the channel, a growing list. */
async function listen(): Promise<string[]> {
  const heard: string[] = [];
  await test.driver(test.urls.direct).listen("relay", (payload) => heard.push(payload));
  return heard;
}

/** Puts a gate before the statement that declares a relay asleep, and before no other. */
async function closeGateBeforeSleep(): Promise<void> {
  await sql`create table relay.gate ()`.execute(test.owner);
  await sql`
    create function relay.pass() returns trigger language plpgsql security definer as $$
    begin
      if current_query() like '%-infinity%' then perform from relay.gate; end if;
      return null;
    end $$`.execute(test.owner);
  await sql`create trigger gate before update on relay.state for each statement execute function relay.pass()`
    .execute(test.owner);
}

async function isAtGate(): Promise<boolean> {
  const { rows } = await sql`select from pg_locks where relation = 'relay.gate'::regclass and not granted`
    .execute(test.owner);
  return rows.length > 0;
}
