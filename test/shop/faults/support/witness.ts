import { type RawBuilder, sql } from "kysely";
import * as z from "zod/mini";
import type { Database } from "../../../../src/database/database.ts";
import type { Handler } from "../../../../src/relay/handlers/handler.ts";
import type { Aggregate } from "../../../../src/write/aggregate.ts";
import type { Command } from "../../../../src/write/command.ts";
import { execute } from "../../../../src/write/execute.ts";

interface Witnessed {
  type: "Witnessed";
  data: { eventId: string; version: number };
}

/** The file to load before a program, for a relay with the witness. */
export const WITH_WITNESS = "test/shop/faults/support/with-witness.ts";

const NAME = "witness";
const CATEGORY = "witness";

/** Creates the witness's table and checkpoint, in a database with an empty log. */
export async function installWitness(owner: Database): Promise<void> {
  await sql`create table write.witnesses (id text primary key, seen integer not null, version integer not null)`
    .execute(owner);
  await sql`call migrations.grant_to('command', 'insert, update on write.witnesses')`.execute(owner);
  await sql`insert into relay.checkpoints (subscription, position) values (${NAME}, 0)`.execute(owner);
}

/** Returns the stream with the effects of a stream's events: an effect per event, in order of effect. */
export function effectStreamOf(stream: RawBuilder<unknown>): RawBuilder<string> {
  return sql`${sql.lit(`${CATEGORY}-`)} || ${stream}`;
}

/** Creates a handler with a single effect, a command, for every event except the witness's effects. */
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

interface State {
  /** The version of the last event seen. */
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
  // Ignores `seen`: a single effect per event is the duty of other code, under test here.
  decide: (data) => [{ type: "Witnessed", data }],
};

declare module "../../../../src/database/database.ts" {
  interface Tables {
    "write.witnesses": { id: string; seen: number; version: number };
  }
}
