import { type RawBuilder, sql } from "kysely";
import * as z from "zod";
import type { Database } from "../../../src/database/database.ts";
import type { Subscription } from "../../../src/relay/subscription.ts";
import type { Aggregate } from "../../../src/write/aggregate.ts";
import type { Command } from "../../../src/write/command.ts";
import type { RecordedEvent } from "../../../src/write/event.ts";
import { execute } from "../../../src/write/execute.ts";

/** A subscription that runs TypeScript: one event at a time, at least once, in the order of its stream. */
export interface Handler {
  name: string;
  kind: string;
  handle(event: RecordedEvent, signal: AbortSignal): Promise<void>;
}

interface Witnessed {
  type: "Witnessed";
  data: { eventId: string; version: number };
}

/** The file to load before a program whose relay is to run the witness, too. */
export const WITH_WITNESS = "test/faults/support/with-witness.ts";

const NAME = "witness";
const CATEGORY = "witness";
const CHUNK_EVENTS_MAX = 50;

/** Makes room for the effects of a witness, and its checkpoint, in a database whose log is empty. */
export async function installWitness(owner: Database): Promise<void> {
  await sql`create table write.witnesses (id text primary key, seen integer not null, version integer not null)`
    .execute(owner);
  await sql`call public.grant_to('command', 'insert, update on write.witnesses')`.execute(owner);
  await sql`insert into relay.checkpoints (subscription, position) values (${NAME}, 0)`.execute(owner);
}

/** Where the effects of a stream's events are: one for each, in the order in which they took effect. */
export function effectStreamOf(stream: RawBuilder<unknown>): RawBuilder<string> {
  return sql`${sql.lit(`${CATEGORY}-`)} || ${stream}`;
}

/** Has one effect, a command, for every event that is not such an effect itself. */
export function createWitness(command: Database): Handler {
  return {
    name: NAME,
    kind: "test",
    async handle({ id: eventId, stream, version, metadata: { correlationId } }) {
      if (stream.startsWith(`${CATEGORY}-`)) return;
      const context = { caller: NAME, correlationId, causationId: eventId, idempotencyKey: eventId };
      await execute(command, witness, { id: stream, input: { eventId, version } }, context);
    },
  };
}

/** Hands the events of a batch to a handler, some at a time, while its checkpoint is claimed. */
export function toTestSubscription({ name, kind, handle }: Handler): Subscription {
  return {
    name,
    kind,
    handle: (db, { from, events }) =>
      db.transaction().execute(async (trx) => {
        const { rows } = await sql<{ claimed: boolean }>`select relay.claim(${name}, ${from}) as claimed`
          .execute(trx);
        if (!rows[0]!.claimed) return false;
        const chunk = events.slice(0, CHUNK_EVENTS_MAX);
        for (const event of chunk) await handle(event, new AbortController().signal);
        await trx.updateTable("relay.checkpoints").set({ position: chunk.at(-1)!.position })
          .where("subscription", "=", name).execute();
        return true;
      }),
  };
}

interface State {
  /** The version of the last event that was seen. */
  seen: number;
}

const aggregate: Aggregate<State, Witnessed> = {
  category: CATEGORY,
  initial: { seen: 0 },
  evolve: (_state, { data: { version } }) => ({ seen: version }),
  load: (db, id) =>
    db.selectNoFrom(({ fn, lit, selectFrom }) => {
      const row = selectFrom("write.witnesses").where("id", "=", id);
      return [
        fn.coalesce(row.select("seen").$asScalar(), lit(0)).as("seen"),
        fn.coalesce(row.select("version").$asScalar(), lit(0)).as("version"),
      ];
    }),
  save: (db, { id, state: { seen }, version, created }) =>
    db.with(
      "witness",
      (qb) =>
        created
          ? qb.insertInto("write.witnesses").values({ id, seen, version })
          : qb.updateTable("write.witnesses").set({ seen, version }).where("id", "=", id),
    ),
};

const witness: Command<Witnessed["data"], State, Witnessed> = {
  name: "Witness",
  input: z.strictObject({ eventId: z.string(), version: z.int() }),
  aggregate,
  // Without a look at what was seen: that an event has one effect is the promise of others, and is put to the test.
  decide: (data) => [{ type: "Witnessed", data }],
};

declare module "../../../src/database/database.ts" {
  interface Tables {
    "write.witnesses": { id: string; seen: number; version: number };
  }
}
