import { sql } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/postgres";
import type { Database } from "../database/database.ts";
import { DatabaseUnavailable } from "../errors.ts";
import type { Query } from "../write/aggregate.ts";
import { hasReached, type Progress, progressIn, waitFor } from "./wait.ts";

/** The required freshness of an answer. */
export type Consistency =
  | { level: "eventual" }
  /** At least as fresh as the event, after a wait of at most `waitMs`. */
  | { level: "token"; eventId: string; waitMs: number }
  /** Computed from the definition: exact, at the cost of the computation. */
  | { level: "strong" };

export interface Fresh<Row> {
  rows: Row[];
  /** The answer has at least the events up to the position. */
  position: number;
  /** The time of the oldest event missing in the answer, or now. */
  asOf: Date;
}

/**
 * Asks a read model: a single round trip, unless a wait is needed. `query` gets the name of the table or view
 * to select from.
 *
 * @throws {ReadModelBehind} If the read model has not reached the event in time: try again later.
 * @throws {EventParked} If the event was given up for the read model.
 * @throws {DatabaseUnavailable} If a replica is asked for a strong answer: a replica does not know the
 * missing events.
 */
export async function ask<Row, Name extends string>(
  db: Database,
  model: { name: Name },
  consistency: Consistency,
  query: (from: `read.${Name}`) => Query<Row>,
): Promise<Fresh<Row>> {
  const table = `read.${model.name}` as const;
  if (consistency.level === "strong") {
    return await askDefinition(db, query(`${table}_source` as typeof table));
  }
  const { progress, ...answer } = await askTable(db, model.name, consistency, query(table));
  if (consistency.level === "eventual" || hasReached(progress, model.name)) return answer;
  await waitFor(db, model.name, consistency.eventId, consistency.waitMs);
  const { progress: _, ...later } = await askTable(db, model.name, consistency, query(table));
  return later;
}

async function askTable<Row>(db: Database, name: string, consistency: Consistency, query: Query<Row>) {
  return await askFreshness(db, name, consistency).select(jsonArrayFrom(query).$castTo<Row[]>().as("rows"))
    .executeTakeFirstOrThrow();
}

function askFreshness(db: Database, name: string, consistency: Consistency) {
  return db.selectFrom("read.freshness as freshness").where("read_model", "=", name).select((eb) => [
    "position",
    "as_of as asOf",
    consistency.level === "token"
      ? eb.selectFrom("read.positions as log").where("event_id", "=", consistency.eventId)
        .select(progressIn.as("progress"))
        .$asScalar().as("progress")
      : sql<Progress>`'reached'`.as("progress"),
  ]);
}

async function askDefinition<Row>(db: Database, query: Query<Row>): Promise<Fresh<Row>> {
  const { isReplica, ...answer } = await db.selectNoFrom((eb) => [
    jsonArrayFrom(query).$castTo<Row[]>().as("rows"),
    eb.selectFrom("read.positions").select((log) =>
      log.fn.coalesce(log.fn.max("position"), log.lit(0)).as("last")
    )
      .$asScalar().$notNull().as("position"),
    sql<Date>`now()`.as("asOf"),
    sql<boolean>`pg_is_in_recovery()`.as("isReplica"),
  ]).executeTakeFirstOrThrow();
  if (isReplica) throw new DatabaseUnavailable("Cannot answer strongly: the database is a replica");
  return answer;
}

declare module "../database/database.ts" {
  interface Tables {
    "read.freshness": { read_model: string; position: number; reached: number; as_of: Date };
    "read.positions": { position: number; event_id: string };
  }
}
