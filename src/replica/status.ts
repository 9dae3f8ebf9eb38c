import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import type { Replica } from "./replica.ts";

/** The progress of a replica. Without an answer from the replica, only `error` is known. */
export interface ReplicaStatus {
  position: number | null;
  /** The number of events in the log missing on the replica. */
  lag: number | null;
  /** The age of the oldest missing event; 0 without a missing event. */
  lagSeconds: number | null;
  error: string | null;
}

/** Returns the progress of a replica. `primary` needs the relay's right to read the log. */
export async function replicaStatus({ watch }: Replica, primary: Database): Promise<ReplicaStatus> {
  let position: number;
  try {
    position = await lastPosition(watch);
  } catch (error) {
    return { position: null, lag: null, lagSeconds: null, error: (error as Error).message };
  }
  const { last, seconds } = await primary.selectFrom("relay.log").select((log) => [
    log.fn.coalesce(log.fn.max("position"), log.lit(0)).as("last"),
    log.selectFrom("relay.log as next").where("next.position", "=", position + 1)
      .select(sql<number>`extract(epoch from now() - recorded_at)::float`.as("seconds"))
      .$asScalar().as("seconds"),
  ]).executeTakeFirstOrThrow();
  return {
    position,
    lag: Math.max(0, last - position),
    lagSeconds: Math.max(0, seconds ?? 0),
    error: null,
  };
}

async function lastPosition(db: Database): Promise<number> {
  const { position } = await db.selectFrom("read.positions")
    .select(({ fn, lit }) => fn.coalesce(fn.max("position"), lit(0)).as("position"))
    .executeTakeFirstOrThrow();
  return position;
}
