import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import type { Subscription } from "./subscription.ts";

export interface RelayStatus {
  lastPosition: number;
  /** How many events wait for their position. */
  outbox: number;
  subscriptions: {
    name: string;
    kind: string;
    position: number;
    /** How many events it has not handled. */
    lag: number;
    /** How long the oldest of them has waited; 0 when there is none. */
    lagSeconds: number;
    parked: number;
    lastError: string | null;
  }[];
}

/** How far the relay and its subscriptions have come. */
export async function relayStatus(db: Database, subscriptions: Subscription[]): Promise<RelayStatus> {
  const { lastPosition, outbox } = await db.selectNoFrom((eb) => [
    eb.selectFrom("relay.log").select((log) => log.fn.coalesce(log.fn.max("position"), log.lit(0)).as("last"))
      .$asScalar().$notNull().as("lastPosition"),
    eb.selectFrom("write.outbox").select((outbox) => outbox.fn.countAll<number>().as("count"))
      .$asScalar().$notNull().as("outbox"),
  ]).executeTakeFirstOrThrow();
  const checkpoints = await db.selectFrom("relay.checkpoints as checkpoint").select((eb) => [
    "subscription",
    "position",
    "last_error as lastError",
    eb.selectFrom("relay.log").select(
      sql<number>`extract(epoch from now() - recorded_at)::float`.as("seconds"),
    )
      .whereRef("relay.log.position", "=", sql`checkpoint.position + 1`).$asScalar().as("lagSeconds"),
  ]).execute();
  return {
    lastPosition,
    outbox,
    subscriptions: subscriptions.flatMap(({ name, kind }) =>
      checkpoints.filter(({ subscription }) => subscription === name).map((
        { position, lagSeconds, lastError },
      ) => ({
        name,
        kind,
        position,
        lag: Math.max(0, lastPosition - position),
        lagSeconds: Math.max(0, lagSeconds ?? 0),
        parked: 0,
        lastError,
      }))
    ),
  };
}
