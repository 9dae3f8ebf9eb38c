import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import type { ReplicaStatus } from "../read/replica.ts";

/** Returns the progress of a replica, watched through `watch`. `primary` needs the relay's right to read the log. */
export async function replicaStatus(watch: Database, primary: Database): Promise<ReplicaStatus> {
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
