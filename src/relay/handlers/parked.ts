import { sql } from "kysely";
import type { Database } from "../../database/database.ts";

/** An event given up by a subscription. The event and later events of the stream wait for the operator. */
export interface Parked {
  id: number;
  subscription: string;
  position: number;
  eventId: string;
  stream: string;
  version: number;
  type: string;
  attempts: number;
  error: string | null;
  parkedAt: Date;
  /** The number of later events of the stream waiting behind the parked event. */
  waiting: number;
}

/** Returns parked events with an id above `after`, at most `limit`, the oldest retry first. */
export async function listParked(db: Database, after: number, limit: number): Promise<Parked[]> {
  return await db.selectFrom("relay.retries as retry")
    .innerJoin("relay.log as log", "log.position", "retry.position")
    .innerJoin("write.events as event", "event.id", "log.event_id")
    .select((eb) => [
      "retry.id",
      "retry.subscription",
      "retry.position",
      "event.id as eventId",
      "event.stream",
      "event.version",
      "event.type",
      "retry.attempts",
      "retry.last_error as error",
      "retry.parked_at as parkedAt",
      eb.selectFrom("relay.retries as later").select((later) => later.fn.countAll<number>().as("count"))
        .whereRef("later.subscription", "=", "retry.subscription").whereRef(
          "later.stream",
          "=",
          "retry.stream",
        )
        .whereRef("later.position", ">", "retry.position").$asScalar().$notNull().as("waiting"),
    ])
    .where("retry.parked_at", "is not", null).$narrowType<{ parkedAt: Date }>()
    .where("retry.id", ">", after).orderBy("retry.id").limit(limit)
    .execute();
}

/**
 * Makes a parked event due, or all parked events of a subscription. Each event gets another try, and is
 * parked again if the try fails. Returns the number of events made due.
 */
export async function retryParked(
  db: Database,
  which: { id: number } | { subscription: string },
): Promise<number> {
  const [column, value] = "id" in which
    ? ["id", which.id] as const
    : ["subscription", which.subscription] as const;
  const { numUpdatedRows } = await db.updateTable("relay.retries")
    .set({ parked_at: null, due_at: sql<Date>`clock_timestamp()` })
    .where(column, "=", value).where("parked_at", "is not", null)
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}
