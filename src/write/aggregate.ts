import type { QueryCreator, SelectQueryBuilder } from "kysely";
import type { Database } from "../database/database.ts";
import type { Event } from "./event.ts";

/** A query for at most a single row. */
// deno-lint-ignore no-explicit-any
export type Query<Row> = SelectQueryBuilder<any, any, Row>;

/** The beginning of a statement: the append is still to be added. */
// deno-lint-ignore no-explicit-any
export type Statement = Pick<QueryCreator<any>, "selectNoFrom">;

/** The effect of a command on an aggregate. */
export interface Change<State> {
  id: string;
  state: State;
  /** The version of `state`. */
  version: number;
  created: boolean;
}

/** A consistency boundary: a stream of events, and the rows showing the resulting state. */
export interface Aggregate<State, E extends Event> {
  /** The first part of the stream names. */
  category: string;
  initial: State;
  /** Returns the state after another event. */
  evolve(state: State, event: E): State;
  /** Returns a query for state and version in the write tables; no row when the aggregate does not exist. */
  load(db: Database, id: string): Query<State & { version: number }>;
  /** Returns the writes of the new state, each a `with`: at most a single write for a row. */
  save(db: Database, change: Change<State>): Statement;
  /** Rejection codes for writes refused by the database, by constraint name. */
  constraints?: Record<string, string>;
}
