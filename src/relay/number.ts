import { type ExpressionBuilder, sql } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/postgres";
import type { Database, Tables } from "../database/database.ts";
import { CheckpointBeyondLog, isDatabaseError } from "../errors.ts";

/** The work to do. */
export interface Outlook {
  lastPosition: number;
  checkpoints: {
    /** The name of the subscription. */
    name: string;
    position: number;
    /** True when the subscription neither rests nor is leased. */
    isDue: boolean;
    /** True when a retry is due, with no earlier retry of the same stream. */
    hasRetries: boolean;
    /** True when a due retry was lost in an earlier try: the event may have killed the relay. */
    hasLost: boolean;
  }[];
}

/**
 * Gives at most `maxEvents` visible events of the outbox the next positions, and returns all checkpoints: a
 * single round trip, and nothing written when the outbox is empty.
 *
 * @throws {CheckpointBeyondLog} If a checkpoint is beyond the log, as after a restore: run `npm run rewind`.
 * @see migrations/0003_numbering.sql
 * @see docs/decisions/0003-numbering.md
 */
export async function numberEvents(db: Database, maxEvents: number): Promise<Outlook> {
  try {
    return await db.selectNoFrom((eb) => [
      sql<number>`relay.number_events(${maxEvents})`.as("lastPosition"),
      jsonArrayFrom(
        eb.selectFrom("relay.checkpoints").select((eb) => [
          "subscription as name",
          "position",
          sql<boolean>`greatest(rests_until, leased_until) <= clock_timestamp()`.as("isDue"),
          eb.exists(dueRetries(eb)).$castTo<boolean>().as("hasRetries"),
          eb.exists(dueRetries(eb).where("attempts", ">", 0).where("last_error", "is", null))
            .$castTo<boolean>().as("hasLost"),
        ]),
      ).as("checkpoints"),
    ]).executeTakeFirstOrThrow();
  } catch (error) {
    if (!isDatabaseError(error) || error.code !== "CQ004") throw error;
    throw new CheckpointBeyondLog(`${error.message} If so, run "npm run rewind"`, { cause: error });
  }
}

function dueRetries(eb: ExpressionBuilder<Tables, "relay.checkpoints">) {
  return eb.selectFrom("relay.retries as retry")
    .whereRef("retry.subscription", "=", "relay.checkpoints.subscription")
    .where("parked_at", "is", null).where("retry.due_at", "<=", sql<Date>`clock_timestamp()`)
    .where(({ not, exists, selectFrom }) =>
      not(exists(
        selectFrom("relay.retries as earlier")
          .whereRef("earlier.subscription", "=", "retry.subscription")
          .whereRef("earlier.stream", "=", "retry.stream")
          .whereRef("earlier.position", "<", "retry.position"),
      ))
    );
}
