import type { TestDatabase } from "./database.ts";
import { createRelay, type Relay } from "../../src/relay/drain.ts";
import type { Handler } from "../../src/relay/handlers/handler.ts";
import { subscribeHandler } from "../../src/relay/handlers/subscribe-handler.ts";
import type { RecordedEvent } from "../../src/write/event.ts";
import { sql } from "kysely";

export type Handling = (event: RecordedEvent, signal: AbortSignal) => Promise<void> | void;

/** Adds a test's subscription, starting at the end of the log. Returns its name and a relay. */
export async function addHandler(
  test: TestDatabase,
  handle: Handling,
  options: Partial<Handler> = {},
): Promise<{ name: string; relay: Relay }> {
  const name = options.name ?? `test_${crypto.randomUUID()}`;
  await sql`
    insert into relay.checkpoints (subscription, position) select ${name}, coalesce(max(position), 0) from relay.log`
    .execute(test.owner);
  const subscription = subscribeHandler({
    kind: "test",
    concerns: isTested,
    ...options,
    name,
    handle: async (event, signal) => await handle(event, signal),
  });
  return { name, relay: createRelay({ db: test.relay, subscriptions: [subscription] }) };
}

/** Returns a handler that handles every event several times. */
export function repeating(handler: Handler, times: number): Handler {
  return {
    ...handler,
    async handle(event, signal) {
      for (let time = 0; time < times; time++) await handler.handle(event, signal);
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

/** Makes all retries due except parked events: no test waits for the back-off. */
export async function makeDue(test: TestDatabase): Promise<void> {
  await sql`update relay.retries set due_at = clock_timestamp() where parked_at is null`.execute(test.owner);
}

/** Like `makeDue`, but leaves alone the retries in progress in a relay. */
export async function makeDueWhatWaits(test: TestDatabase): Promise<void> {
  await sql`
    update relay.retries set due_at = clock_timestamp() where id = any(array(
      select id from relay.retries where parked_at is null and (attempts = 0 or last_error is not null)
      for update skip locked
    ))`.execute(test.owner);
}

/** Returns the stream and the version of a test event, for example `a2`. */
export function nameOf({ stream, version }: RecordedEvent): string {
  return `${stream.replace("test-", "")}${version}`;
}

function isTested({ stream }: RecordedEvent): boolean {
  return stream.startsWith("test-");
}
