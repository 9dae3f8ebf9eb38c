import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import type { Replica } from "./replica.ts";

/** What a replica has of the log. Without an answer from it, only the error is known. */
export interface ReplicaStatus {
  position: number | null;
  /** How many events of the log it does not have. */
  lag: number | null;
  /** How long the oldest of them has waited; 0 when there is none. */
  lagSeconds: number | null;
  error: string | null;
}

/** How far a replica has come; `primary` reads the log as the relay. */
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
