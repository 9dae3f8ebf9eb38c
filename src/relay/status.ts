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
    /** The number of events not handled: after the checkpoint, in the outbox, and in lanes, parked or not. */
    lag: number;
    /** The age of the oldest event not handled and not parked; 0 without any. */
    lagSeconds: number;
    /** The number of streams whose last try failed or never came back. */
    failing: number;
    /** The number of streams given up. */
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
  const checkpoints = await db.selectFrom("relay.checkpoints as checkpoint")
    .leftJoinLateral(
      (eb) =>
        eb.selectFrom("relay.lanes as lane").whereRef("lane.subscription", "=", "checkpoint.subscription")
          .select([
            sql<number>`coalesce(sum(last_version - next_version + 1), 0)`.as("waiting"),
            sql<number>`count(*) filter (where state in ('resting', 'suspect', 'alone', 'exclusive'))`.as(
              "failing",
            ),
            sql<number>`count(*) filter (where state = 'parked')`.as("parked"),
            secondsSince(sql`min(waiting_since) filter (where state <> 'parked')`).as("waitingSeconds"),
            sql<
              string | null
            >`(array_agg(lane.last_error order by due_at desc) filter (where lane.last_error is not null))[1]`
              .as("laneError"),
          ]).as("lanes"),
      (join) => join.onTrue(),
    )
    .select((eb) => [
      "subscription",
      "position",
      "waiting",
      "failing",
      "parked",
      "waitingSeconds",
      eb.fn.coalesce("last_error", "laneError").as("lastError"),
      eb.selectFrom("relay.log").select(secondsSince(sql`recorded_at`).as("seconds"))
        .whereRef("relay.log.position", "=", sql`checkpoint.position + 1`).$asScalar().as("seconds"),
    ]).execute();
  return {
    lastPosition,
    outbox,
    subscriptions: subscriptions.flatMap(({ name, kind }) =>
      checkpoints.filter(({ subscription }) => subscription === name).map((
        { position, waiting, failing, parked, seconds, waitingSeconds, lastError },
      ) => ({
        name,
        kind,
        position,
        lag: Math.max(0, lastPosition - position) + outbox + Number(waiting),
        lagSeconds: Math.max(0, seconds ?? 0, oldest ?? 0, waitingSeconds ?? 0),
        failing: Number(failing),
        parked: Number(parked),
        lastError,
      }))
    ),
  };
}

function secondsSince(time: RawBuilder<unknown>) {
  return sql<number | null>`extract(epoch from now() - ${time})::float`;
}
