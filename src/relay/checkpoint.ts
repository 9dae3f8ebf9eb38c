import { sql } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/postgres";
import type { Database } from "../database/database.ts";
import { CheckpointBeyondLog } from "../errors.ts";

/** What there is to do. */
export interface Outlook {
  lastPosition: number;
  /** Whether events wait for their position. */
  outboxHasEvents: boolean;
  checkpoints: { subscription: string; position: number; isDue: boolean }[];
}

/** Looks what there is to do: one round trip, no lock, nothing written. */
export async function lookAhead(db: Database): Promise<Outlook> {
  return await db.selectNoFrom((eb) => [
    eb.selectFrom("relay.log").select((log) => log.fn.coalesce(log.fn.max("position"), log.lit(0)).as("last"))
      .$asScalar().$notNull().as("lastPosition"),
    eb.exists(eb.selectFrom("write.outbox").select("id")).$castTo<boolean>().as("outboxHasEvents"),
    jsonArrayFrom(
      eb.selectFrom("relay.checkpoints")
        .select(["subscription", "position", sql<boolean>`due_at <= clock_timestamp()`.as("isDue")]),
    ).as("checkpoints"),
  ]).executeTakeFirstOrThrow();
}

/** @throws {CheckpointBeyondLog} If a checkpoint is beyond the last position, as after a restore. */
export function refuseCheckpointsBeyondLog({ lastPosition, checkpoints }: Outlook): void {
  const beyond = checkpoints.find((checkpoint) => checkpoint.position > lastPosition);
  if (!beyond) return;
  throw new CheckpointBeyondLog(
    `Cannot relay: the checkpoint of ${beyond.subscription} is at position ${beyond.position}, but the log ends at ` +
      `${lastPosition}; was an older copy of the database restored?`,
  );
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
