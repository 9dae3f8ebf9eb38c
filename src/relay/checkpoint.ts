import { sql } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/postgres";
import type { Database } from "../database/database.ts";
import { CheckpointBeyondLog, isDatabaseError } from "../errors.ts";

/** What there is to do. */
export interface Outlook {
  lastPosition: number;
  checkpoints: { subscription: string; position: number; isDue: boolean }[];
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
          .select(["subscription", "position", sql<boolean>`due_at <= clock_timestamp()`.as("isDue")]),
      ).as("checkpoints"),
    ]).executeTakeFirstOrThrow();
  } catch (error) {
    if (!isDatabaseError(error) || error.code !== "CQ004") throw error;
    throw new CheckpointBeyondLog(error.message, { cause: error });
  }
}

const RETRY_AFTER_MS = 1_000;

/** Remembers why a subscription failed, and lets it rest for a second. */
export async function recordFailure(db: Database, subscription: string, message: string): Promise<void> {
  await db.updateTable("relay.checkpoints")
    .set({
      last_error: message,
      due_at: sql<Date>`clock_timestamp() + ${RETRY_AFTER_MS} * interval '1 millisecond'`,
    })
    .where("subscription", "=", subscription)
    .execute();
}

declare module "../database/database.ts" {
  interface Tables {
    "relay.checkpoints": { subscription: string; position: number; due_at: Date; last_error: string | null };
  }
}
