import type { TestDatabase } from "./database.ts";
import type { Database } from "../../src/database/database.ts";
import { drain } from "../../src/relay/drain.ts";
import { createRelay, type Relay } from "../../src/relay/relay.ts";
import { listEvents } from "../../src/relay/events.ts";
import { cutBatch } from "../../src/relay/handlers/cut-batch.ts";
import { handOut, takeLanes, typesOf } from "../../src/relay/handlers/lanes.ts";
import { numberEvents } from "../../src/relay/number.ts";
import type { HandlerSubscription } from "../../src/relay/subscription.ts";
import type { Handler } from "../../src/relay/handlers/handler.ts";
import { subscribeHandler } from "../../src/relay/handlers/subscribe-handler.ts";
import type { RecordedEvent } from "../../src/write/event.ts";
import { sql } from "kysely";

export type Handling = (event: RecordedEvent, signal: AbortSignal, startedAt: Date) => Promise<void> | void;

export interface Added {
  name: string;
  relay: Relay;
}

/** Adds a test's subscription, starting at the end of the log. Returns its name and a relay. */
export async function addHandler(
  test: TestDatabase,
  handle: Handling,
  options: Partial<Handler> = {},
): Promise<Added> {
  const name = options.name ?? `test_${crypto.randomUUID()}`;
  await sql`
    insert into relay.checkpoints (subscription, position) select ${name}, coalesce(max(position), 0) from relay.log
    on conflict do nothing`.execute(test.owner);
  const subscription = subscribeHandler({
    kind: "test",
    ...options,
    name,
    handle: async (event, ...rest) => isTested(event) ? await handle(event, ...rest) : undefined,
  });
  return { name, relay: createRelay({ db: test.relay, subscriptions: [subscription] }) };
}

/** Returns a handler that handles every event several times. */
export function repeating(handler: Handler, times: number): Handler {
  return {
    ...handler,
    async handle(event, ...rest) {
      for (let time = 0; time < times; time++) await handler.handle(event, ...rest);
    },
  };
}

/** Appends a test event to the stream `test-…`. */
export async function append(
  test: Pick<TestDatabase, "command">,
  stream: string,
  type = "Tested",
): Promise<void> {
  const events = JSON.stringify([{ id: crypto.randomUUID(), type, data: {}, metadata: {} }]);
  await sql`
    select write.append(${`test-${stream}`}, (select coalesce(max(version), 0) from write.events
      where stream = ${`test-${stream}`}), ${events}::text::jsonb, null)`.execute(test.command);
}

/** Makes all resting and suspect lanes due, except lanes locked by a relay: no test waits for the back-off. */
export async function makeDue(test: TestDatabase): Promise<void> {
  await sql`
    update relay.lanes set due_at = clock_timestamp() where (subscription, stream) in (
      select subscription, stream from relay.lanes where state not in ('ready', 'in hand', 'parked')
      for update skip locked
    )`.execute(test.owner);
}

/** Deletes the lanes of all handlers, locked in the order of the relay's own statements: a test never deadlocks with them. */
export async function deleteLanes({ owner }: Pick<TestDatabase, "owner">): Promise<void> {
  await sql`
    with lane as materialized (
      select subscription, stream from relay.lanes order by subscription collate "C", stream collate "C" for update
    )
    delete from relay.lanes using lane
    where lanes.subscription = lane.subscription and lanes.stream = lane.stream`.execute(owner);
}

export function handlerOf({ relay }: Added): Handler {
  return (relay.subscriptions[0] as HandlerSubscription).handler;
}

/** Hands out the next events, as a relay would just before a crash: the lanes stay in the dead relay's hand. */
export async function handOutAndDie(test: TestDatabase, { name, relay }: Added): Promise<void> {
  await drain(createRelay({ db: test.relay, subscriptions: [] }), 5_000);
  const { position } = await test.relay.selectFrom("relay.checkpoints").select("position")
    .where("subscription", "=", name).executeTakeFirstOrThrow();
  const events = await listEvents(test.relay, position, 1_000);
  const handler = handlerOf({ name, relay });
  await numberEvents(test.relay, 1, [{ name, types: typesOf(handler), since: null }]);
  const { work } = cutBatch(events, 1_000, () => true);
  const { hold } = await handOut(test.relay, handler, { from: position, to: events.at(-1)!.position, work });
  if (hold === null) throw new Error("Nothing was handed out");
}

/** Takes due lanes, as a relay would just before a crash. Returns the streams. */
export async function takeAndDie(
  test: TestDatabase,
  added: Added,
  wanted: Parameters<typeof takeLanes>[2],
): Promise<string[]> {
  return (await takeLanes(test.relay, handlerOf(added), wanted, null)).map(({ stream }) => stream).toSorted();
}

/** Ends the leases of a handler, as if their holders had died a while ago. */
export async function letLeasesRunOut(test: TestDatabase, name: string): Promise<void> {
  await sql`update relay.lanes set due_at = clock_timestamp() where state = 'in hand' and subscription = ${name}`
    .execute(test.owner);
}

/** Returns the lanes of all handlers, by stream. */
export async function listLanes(test: TestDatabase) {
  return await test.owner.selectFrom("relay.lanes")
    .select(["stream", "next_version", "last_version", "state", "attempts", "losses", "last_error"])
    .orderBy("stream").execute();
}

/** Returns the stream and the version of a test event, for example `a2`. */
export function nameOf({ stream, version }: RecordedEvent): string {
  return `${stream.replace("test-", "")}${version}`;
}

function isTested({ stream }: RecordedEvent): boolean {
  return stream.startsWith("test-");
}

/** Appends an event to each of many streams: `test-<prefix>0`, `test-<prefix>1` … */
export async function appendMany(
  test: Pick<TestDatabase, "owner">,
  streams: number,
  prefix: string,
  type = "Tested",
): Promise<void> {
  await sql`
    select write.append('test-' || ${prefix}::text || place, 0, jsonb_build_array(
      jsonb_build_object('id', gen_random_uuid(), 'type', ${type}::text, 'data', '{}'::jsonb, 'metadata', '{}'::jsonb)), null)
    from generate_series(0, ${streams}::integer - 1) as place`.execute(test.owner);
}

/** Creates a single relay for several handlers. */
export function together(test: TestDatabase, ...all: Added[]): Relay {
  return createRelay({ db: test.relay, subscriptions: all.flatMap(({ relay }) => relay.subscriptions) });
}

/** Counts the statements through a database. */
export function countStatements(db: Database): { db: Database; count: () => number } {
  let statements = 0;
  const counted = db.withPlugin({
    transformQuery: ({ node }) => node,
    transformResult({ result }) {
      statements++;
      return Promise.resolve(result);
    },
  });
  return { db: counted, count: () => statements };
}
