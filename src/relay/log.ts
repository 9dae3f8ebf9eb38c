import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import type { RecordedEvent } from "../write/event.ts";

/**
 * Gives the events that are visible in the outbox the next positions, `maxEvents` at most, in one transaction.
 * Answers the last position of the log.
 * @see migrations/0003_relay.sql
 * @see docs/decisions/0003-numbering.md
 */
export async function numberEvents(db: Database, maxEvents: number): Promise<number> {
  const { last } = await db.selectNoFrom(sql<number>`relay.number_events(${maxEvents})`.as("last"))
    .executeTakeFirstOrThrow();
  return last;
}

/** The events above a position, at most `limit`, in order of position. */
export async function listEvents(db: Database, after: number, limit: number): Promise<RecordedEvent[]> {
  return await db.selectFrom("relay.log as log").innerJoin(
    "write.events as event",
    "event.id",
    "log.event_id",
  )
    .select([
      "log.position",
      "event.id",
      "event.stream",
      "event.version",
      "event.type",
      "event.data",
      "event.metadata",
    ])
    .select("event.recorded_at as recordedAt")
    .where("log.position", ">", after).orderBy("log.position").limit(limit)
    .execute();
}

declare module "../database/database.ts" {
  interface Tables {
    "relay.log": { position: number; event_id: string; recorded_at: Date };
  }
}
