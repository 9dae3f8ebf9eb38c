import { type RawBuilder, sql } from "kysely";
import type { Database } from "../database/database.ts";
import type { Subscription } from "./subscription.ts";

export interface RelayStatus {
  lastPosition: number;
  /** The number of events without a position. */
  outbox: number;
  subscriptions: {
    name: string;
    kind: string;
    position: number;
    /** The number of events after the checkpoint, the outbox included. */
    lag: number;
    /** The age of the oldest event after the checkpoint; 0 without a lag. */
    lagSeconds: number;
    /** The number of events given up. */
    parked: number;
    lastError: string | null;
  }[];
}

/** Returns the progress of the relay and the given subscriptions. */
export async function relayStatus(db: Database, subscriptions: Subscription[]): Promise<RelayStatus> {
  const { lastPosition, outbox, oldest } = await db.selectNoFrom((eb) => [
    eb.selectFrom("relay.log").select((log) => log.fn.coalesce(log.fn.max("position"), log.lit(0)).as("last"))
      .$asScalar().$notNull().as("lastPosition"),
    eb.selectFrom("write.outbox").select((outbox) => outbox.fn.countAll<number>().as("count"))
      .$asScalar().$notNull().as("outbox"),
    eb.selectFrom("write.outbox").select(secondsSince(sql`min(recorded_at)`).as("oldest")).$asScalar().as(
      "oldest",
    ),
  ]).executeTakeFirstOrThrow();
  const checkpoints = await db.selectFrom("relay.checkpoints as checkpoint").select((eb) => [
    "subscription",
    "position",
    "last_error as lastError",
    eb.selectFrom("relay.retries as retry").select((retry) => retry.fn.countAll<number>().as("count"))
      .whereRef("retry.subscription", "=", "checkpoint.subscription").where("parked_at", "is not", null)
      .$asScalar().$notNull().as("parked"),
    eb.selectFrom("relay.log").select(secondsSince(sql`recorded_at`).as("seconds"))
      .whereRef("relay.log.position", "=", sql`checkpoint.position + 1`).$asScalar().as("seconds"),
  ]).execute();
  return {
    lastPosition,
    outbox,
    subscriptions: subscriptions.flatMap(({ name, kind }) =>
      checkpoints.filter(({ subscription }) => subscription === name).map((
        { position, seconds, parked, lastError },
      ) => ({
        name,
        kind,
        position,
        lag: Math.max(0, lastPosition - position) + outbox,
        lagSeconds: Math.max(0, seconds ?? 0, oldest ?? 0),
        parked,
        lastError,
      }))
    ),
  };
}

function secondsSince(time: RawBuilder<unknown>) {
  return sql<number | null>`extract(epoch from now() - ${time})::float`;
}
