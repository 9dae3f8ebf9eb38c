import { type RawBuilder, sql } from "kysely";
import * as z from "zod/mini";
import type { Database } from "../../../src/database/database.ts";
import type { Handler } from "../../../src/relay/handlers/handler.ts";
import type { Aggregate } from "../../../src/write/aggregate.ts";
import type { Command } from "../../../src/write/command.ts";
import { execute } from "../../../src/write/execute.ts";

interface Witnessed {
  type: "Witnessed";
  data: { eventId: string; version: number };
}

/** The file to load before a program whose relay is to run the witness, too. */
export const WITH_WITNESS = "test/faults/support/with-witness.ts";

const NAME = "witness";
const CATEGORY = "witness";

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
    concerns: ({ stream }) => !stream.startsWith(`${CATEGORY}-`),
    async handle({ id: eventId, stream, version, metadata: { correlationId } }) {
      const context = { caller: NAME, correlationId, causationId: eventId, idempotencyKey: eventId };
      await execute(command, witness, { id: stream, input: { eventId, version } }, context);
    },
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
