import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import type { RecordedEvent } from "../write/event.ts";

/** Returns the events above a position, at most `limit`, in order of position. */
export async function listEvents(db: Database, after: number, limit: number): Promise<RecordedEvent[]> {
  return await events(db).where("log.position", ">", after).orderBy("log.position").limit(limit).execute();
}

/** Returns the events at the given positions, in no order. */
export async function listEventsAt(db: Database, positions: number[]): Promise<RecordedEvent[]> {
  return await events(db).where("log.position", "=", sql<number>`any(${positions}::bigint[])`).execute();
}

function events(db: Database) {
  return db.selectFrom("relay.log as log")
    .innerJoin("write.events as event", "event.id", "log.event_id")
    .select([
      "log.position",
      "event.id",
      "event.stream",
      "event.version",
      "event.type",
      "event.data",
      "event.metadata",
    ])
    .select(["event.schema_version as schemaVersion", "event.recorded_at as recordedAt"]);
}

declare module "../database/database.ts" {
  interface Tables {
    "relay.log": { position: number; event_id: string; recorded_at: Date };
  }
}
