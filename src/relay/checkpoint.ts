import { type Generated, sql } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/postgres";
import type { Database } from "../database/database.ts";
import { CheckpointBeyondLog, isDatabaseError } from "../errors.ts";

/** What there is to do. */
export interface Outlook {
  lastPosition: number;
  checkpoints: {
    /** Of the subscription. */
    name: string;
    position: number;
    /** Whether it may be worked on: it does not rest, and nobody else has it. */
    isDue: boolean;
    /** Whether an event that was set aside may be tried again: it is due, and the first of its stream. */
    hasRetries: boolean;
  }[];
}

/**
 * Gives the events that are visible in the outbox the next positions, `maxEvents` at most, and looks how far the
 * subscriptions have come: one round trip, and nothing written when the outbox is empty.
 *
 * @throws {CheckpointBeyondLog} If a checkpoint is beyond the last position, as after a restore.
 * @see migrations/0003_relay.sql
 * @see docs/decisions/0003-numbering.md
 */
export async function numberEvents(db: Database, maxEvents: number): Promise<Outlook> {
  try {
    return await db.selectNoFrom((eb) => [
      sql<number>`relay.number_events(${maxEvents})`.as("lastPosition"),
      jsonArrayFrom(
        eb.selectFrom("relay.checkpoints")
          .select((eb) => [
            "subscription as name",
            "position",
            sql<boolean>`due_at <= clock_timestamp()`.as("isDue"),
            eb.exists(
              eb.selectFrom("relay.retries as retry").whereRef(
                "retry.subscription",
                "=",
                "relay.checkpoints.subscription",
              )
                .where("parked_at", "is", null).where("retry.due_at", "<=", sql<Date>`clock_timestamp()`)
                .where(({ not, exists, selectFrom }) =>
                  not(exists(
                    selectFrom("relay.retries as earlier")
                      .whereRef("earlier.subscription", "=", "retry.subscription")
                      .whereRef("earlier.stream", "=", "retry.stream")
                      .whereRef("earlier.position", "<", "retry.position"),
                  ))
                ),
            ).$castTo<boolean>().as("hasRetries"),
          ]),
      ).as("checkpoints"),
    ]).executeTakeFirstOrThrow();
  } catch (error) {
    if (!isDatabaseError(error) || error.code !== "CQ004") throw error;
    throw new CheckpointBeyondLog(`${error.message} If so, run "npm run rewind"`, { cause: error });
  }
}

const REST_MS_MIN = 1_000;

/**
 * Remembers why a subscription failed, unless another relay has gone on with it, and lets it rest: nine times as long
 * as the try took, a second at least.
 */
export async function recordFailure(
  db: Database,
  subscription: string,
  position: number,
  message: string,
  tookMs: number,
): Promise<void> {
  const restMs = Math.max(REST_MS_MIN, Math.round(9 * tookMs));
  await db.updateTable("relay.checkpoints")
    .set({
      last_error: message,
      due_at: sql<Date>`clock_timestamp() + ${restMs} * interval '1 millisecond'`,
    })
    .where("subscription", "=", subscription).where("position", "=", position)
    .execute();
}

declare module "../database/database.ts" {
  interface Tables {
    "relay.checkpoints": {
      subscription: string;
      position: number;
      due_at: Date;
      last_error: string | null;
      fence: Generated<number>;
      leased_to: number | null;
    };
  }
}
