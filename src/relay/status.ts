import { type ExpressionBuilder, type RawBuilder, sql } from "kysely";
import type { Database, Tables } from "../database/database.ts";
import type { Subscription } from "./subscription.ts";

export interface RelayStatus {
  lastPosition: number;
  /** The number of events without a position. */
  outbox: number;
  subscriptions: {
    name: string;
    kind: string;
    position: number;
    /** The number of events not handled: after the checkpoint, in the outbox, in lanes and set aside, parked or not. */
    lag: number;
    /** The age of the oldest event not handled and not parked; 0 without any. */
    lagSeconds: number;
    /** The number of streams whose last try failed or never came back; of a read model, of events to be tried again. */
    failing: number;
    /** The number of streams given up; of a read model, of events. */
    parked: number;
    /** The error of the last try; null when the last try went well. */
    lastError: string | null;
    /** The failures of the last ten minutes, and the newest error. */
    failures: { count: number; last: string | null };
    /** The end of a rest, after a failure or a whole refresh; null when due. */
    restsUntil: Date | null;
    /** The length of the last whole refresh, in milliseconds; null without any. */
    refreshMs: number | null;
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
  const checkpoints = await listCheckpoints(db);
  return {
    lastPosition,
    outbox,
    subscriptions: subscriptions.flatMap(({ name, kind }) =>
      checkpoints.filter(({ subscription }) => subscription === name).map((one) => ({
        name,
        kind,
        position: one.position,
        lag: Math.max(0, lastPosition - one.position) + outbox + Number(one.waiting) + one.setAside,
        lagSeconds: Math.max(
          0,
          one.seconds ?? 0,
          oldest ?? 0,
          one.waitingSeconds ?? 0,
          one.setAsideSeconds ?? 0,
        ),
        failing: Number(one.failing) + one.setAside - one.givenUp,
        parked: Number(one.parked) + one.givenUp,
        lastError: one.lastError,
        failures: { count: one.failures, last: one.lastFailure },
        restsUntil: one.restsUntil,
        refreshMs: one.refreshMs,
      }))
    ),
  };
}

async function listCheckpoints(db: Database) {
  return await db.selectFrom("relay.checkpoints as checkpoint")
    .innerJoinLateral(lanesOf, (join) => join.onTrue())
    .innerJoinLateral(setAsideOf, (join) => join.onTrue())
    .innerJoinLateral(failuresOf, (join) => join.onTrue())
    .selectAll(["lanes", "setAside", "failures"])
    .select((eb) => [
      "subscription",
      "position",
      "refresh_ms as refreshMs",
      sql<Date | null>`case when clock_timestamp() between rests_from and rests_until then rests_until end`
        .as("restsUntil"),
      eb.fn.coalesce("last_error", "laneError").as("lastError"),
      eb.selectFrom("relay.log").select(secondsSince(sql`recorded_at`).as("seconds"))
        .whereRef("relay.log.position", "=", sql`checkpoint.position + 1`).$asScalar().as("seconds"),
    ]).execute();
}

type OfCheckpoint = ExpressionBuilder<Tables & { checkpoint: Tables["relay.checkpoints"] }, "checkpoint">;

function lanesOf(eb: OfCheckpoint) {
  return eb.selectFrom("relay.lanes as lane").whereRef("lane.subscription", "=", "checkpoint.subscription")
    .select([
      sql<number>`coalesce(sum(last_version - next_version + 1), 0)`.as("waiting"),
      sql<number>`count(*) filter (where state in ('resting', 'suspect', 'alone', 'exclusive'))`.as(
        "failing",
      ),
      sql<number>`count(*) filter (where state = 'parked')`.as("parked"),
      secondsSince(sql`min(waiting_since) filter (where state <> 'parked')`).as("waitingSeconds"),
      sql<string | null>`
        (array_agg(lane.last_error order by due_at desc) filter (where lane.last_error is not null))[1]`.as(
        "laneError",
      ),
    ]).as("lanes");
}

function setAsideOf(eb: OfCheckpoint) {
  return eb.selectFrom("relay.set_aside as event").innerJoin(
    "relay.log as log",
    "log.position",
    "event.position",
  )
    .whereRef("event.subscription", "=", "checkpoint.subscription")
    .select([
      sql<number>`count(*)`.as("setAside"),
      sql<number>`count(*) filter (where due_at is null)`.as("givenUp"),
      secondsSince(sql`min(log.recorded_at) filter (where due_at is not null)`).as("setAsideSeconds"),
    ]).as("setAside");
}

function failuresOf(eb: OfCheckpoint) {
  return eb.selectFrom("relay.failures as failure").whereRef(
    "failure.subscription",
    "=",
    "checkpoint.subscription",
  )
    .where("failed_at", ">", sql<Date>`clock_timestamp() - interval '10 minutes'`)
    .select([
      sql<number>`count(*)`.as("failures"),
      sql<string | null>`(array_agg(error order by failed_at desc))[1]`.as("lastFailure"),
    ]).as("failures");
}

function secondsSince(time: RawBuilder<unknown>) {
  return sql<number | null>`extract(epoch from now() - ${time})::float`;
}

declare module "../database/database.ts" {
  interface Tables {
    "relay.set_aside": { subscription: string; position: number; due_at: Date | null };
    "relay.failures": { subscription: string; failed_at: Date; error: string };
  }
}
