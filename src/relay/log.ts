import type { Database } from "../database/database.ts";
import type { RecordedEvent } from "../write/event.ts";

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
