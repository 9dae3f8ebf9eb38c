import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import type { Database } from "../../src/database/database.ts";
import { drain } from "../../src/relay/drain.ts";
import { createRelay } from "../../src/relay/relay.ts";
import { runRelay } from "../../src/relay/waking/run.ts";
import type { Subscription } from "../../src/relay/subscription.ts";
import { sleep } from "../../src/sleep.ts";
import { useTestDatabase } from "../support/database.ts";
import { hold, untilBlocked } from "../support/hold.ts";
import { seededRandom } from "../support/random.ts";
import { write } from "../support/writers.ts";

const test = useTestDatabase();

const LOAD = { writers: 32, streams: 20, events: 60, commitDelayMsMax: 20, rollbackPercent: 5 };
const RELAYS = 3;
const KILL_EVERY_MS = 150;

/** Stores each event in the transaction that moves the checkpoint: one statement, as for a read model. */
const witness: Subscription = {
  name: "witness",
  kind: "test",
  async handle(db, { from, to, events }) {
    const seen = JSON.stringify(events.map(({ position, id }) => ({ position, id })));
    const call = sql<boolean>`relay.witness(${from}, ${to}, ${seen}::text::json)`;
    const { done } = await db.selectNoFrom(call.as("done")).executeTakeFirstOrThrow();
    return done ? to : null;
  },
  keysOf: () => null,
  handleSetAside: () => Promise.resolve(0),
};

async function createWitness(): Promise<void> {
  await sql`create table relay.witnessed (position bigint, id uuid)`.execute(test.owner);
  await sql`
    create function relay.witness(from_position bigint, to_position bigint, seen json) returns boolean
    language plpgsql as $$
    begin
      if not relay.claim('witness', from_position) then return false; end if;
      insert into relay.witnessed select * from json_to_recordset(seen) as event (position bigint, id uuid);
      update relay.checkpoints set position = to_position where subscription = 'witness';
      return true;
    end $$`.execute(test.owner);
  await sql`insert into relay.checkpoints (subscription, position) values ('witness', 0)`.execute(test.owner);
  await sql`call migrations.grant_to('relay', 'select, insert on relay.witnessed')`.execute(test.owner);
  await sql`call migrations.grant_to('relay', 'execute on function relay.witness')`.execute(test.owner);
}

describe("three relays that lose their backends while 32 writers write", () => {
  it("number every event once, without a gap, and every stream in the order of its versions", async () => {
    await createWitness();
    const random = seededRandom("numbering");
    const stopping = new AbortController();
    const relays = Array.from({ length: RELAYS }, () => {
      const relay = createRelay({
        db: test.open(test.urls.relay, { max: 4 }),
        subscriptions: [witness],
      });
      return runRelay(relay, test.urls.direct, stopping.signal);
    });
    const killing = killBackends(test.open(test.urls.relay, { max: 1 }), stopping.signal);

    const committed = await write(test.open(test.urls.command, { max: LOAD.writers }), LOAD, random);
    stopping.abort();
    await Promise.all([...relays, killing]);
    await drain(createRelay({ db: test.relay, subscriptions: [witness] }), 10_000);

    const log = await readLog(test.owner);
    expect(log.map(({ position }) => position)).toEqual(log.map((_, index) => index + 1));
    expect(new Set(log.map(({ id }) => id))).toEqual(new Set(committed.keys()));
    expect(streamsOutOfOrder(log)).toEqual([]);
    const { rows: witnessed } = await sql`select position, id from relay.witnessed order by position`.execute(
      test.owner,
    );
    expect(witnessed).toEqual(log.map(({ position, id }) => ({ position, id })));
    const { rows: left } = await sql`select from write.outbox`.execute(test.owner);
    expect(left).toEqual([]);
  }, 60_000);
});

describe("numbering", () => {
  it("is not held up by an open transaction, and numbers its events when it has committed", async () => {
    const relay = createRelay({ db: test.relay, subscriptions: [] });
    const slow = await hold(test.command, (trx) => append(trx, "slow"));
    await append(test.command, "fast");

    await drain(relay, 5_000);
    expect(await lastStream(test.owner)).toBe("fast");
    await slow.commit();
    await drain(relay, 5_000);
    expect(await lastStream(test.owner)).toBe("slow");
  });

  it("is done by one relay at a time, which sees what was committed while it waited", async () => {
    await append(test.command, "first");
    const rival = await hold(test.relay, (trx) => sql`select relay.number_events(100)`.execute(trx));
    await append(test.command, "committed before");
    const numbering = sql`select relay.number_events(100)`.execute(test.relay);
    await untilBlocked(test.owner);
    await append(test.command, "committed meanwhile");
    await rival.commit();
    await numbering;

    expect(await lastStream(test.owner)).toBe("committed meanwhile");
  });

  it("is refused at an isolation level that would not see it", async () => {
    const numbering = test.relay.transaction().setIsolationLevel("repeatable read")
      .execute((trx) => sql`select relay.number_events(100)`.execute(trx));
    await expect(numbering).rejects.toThrow("Cannot number events at isolation level repeatable read");
  });
});

/** Terminates every other backend of the relay's role, again and again. */
async function killBackends(db: Database, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(KILL_EVERY_MS, signal);
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where usename = current_user and pid <> pg_backend_pid()`.execute(db);
  }
}

interface Numbered {
  position: number;
  id: string;
  stream: string;
  version: number;
}

async function readLog(db: Database): Promise<Numbered[]> {
  return await db.selectFrom("relay.log").innerJoin("write.events", "write.events.id", "relay.log.event_id")
    .select(["position", "id", "stream", "version"]).orderBy("position").execute();
}

function streamsOutOfOrder(log: Numbered[]): Numbered[] {
  const versions = new Map<string, number>();
  return log.filter(({ stream, version }) => {
    const expected = (versions.get(stream) ?? 0) + 1;
    versions.set(stream, version);
    return version !== expected;
  });
}

function append(db: Database, stream: string) {
  const events = JSON.stringify([{ id: crypto.randomUUID(), type: "Appended", data: {}, metadata: {} }]);
  return sql`select write.append(${stream}, 0, ${events}::text::jsonb, null)`.execute(db);
}

async function lastStream(db: Database): Promise<string | undefined> {
  return (await readLog(db)).at(-1)?.stream;
}
