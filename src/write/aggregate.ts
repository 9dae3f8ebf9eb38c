import type { QueryCreator, SelectQueryBuilder } from "kysely";
import type { Database } from "../database/database.ts";
import type { Event } from "./event.ts";

/** A query that gives at most one row. */
// deno-lint-ignore no-explicit-any
export type Query<Row> = SelectQueryBuilder<any, any, Row>;

/** The beginning of a statement, to which the append is still to be added. */
// deno-lint-ignore no-explicit-any
export type Statement = Pick<QueryCreator<any>, "selectNoFrom">;

/** What a command has done to an aggregate. */
export interface Change<State> {
  id: string;
  state: State;
  /** The version that belongs to `state`. */
  version: number;
  created: boolean;
}

/** A consistency boundary: one stream of events, and the rows that show where they have led. */
export interface Aggregate<State, E extends Event> {
  /** The first part of the names of its streams. */
  category: string;
  initial: State;
  /** The state after one more event. */
  evolve(state: State, event: E): State;
  /** The state from the write tables, with its version; no row when there is no such aggregate. */
  load(db: Database, id: string): Query<State & { version: number }>;
  /** The writes, each a `with`, that make the tables show the new state: at most one write for a row. */
  save(db: Database, change: Change<State>): Statement;
  /** What it means to the caller when the database refuses a write: constraint name to rejection code. */
  constraints?: Record<string, string>;
}
