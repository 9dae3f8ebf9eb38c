import type * as z from "zod/mini";
import type { Database } from "../database/database.ts";
import type { Aggregate, Query } from "./aggregate.ts";
import type { Event } from "./event.ts";

/** An intention: the shape of the input, the facts to know, and the rule for the resulting events. */
export interface Command<Input, State, E extends Event, Loaded = State & { version: number }> {
  /** In the imperative. */
  name: string;
  input: z.ZodMiniType<Input, Input>;
  aggregate: Aggregate<State, E>;
  /** True when the command begins a stream: `load` is optional, and brings only facts for `decide`. */
  creates?: true;
  /** A single query; no row means: the aggregate does not exist. The aggregate's own query when left out. */
  load?(db: Database, id: string, input: Input): Query<Loaded>;
  /** Pure: no I/O, no clock, no randomness. @throws {CommandRejected} If the business says no. */
  decide(input: Input, loaded: Loaded): E[];
}

/** The sender and the conditions of a command. */
export interface CommandContext {
  caller: string;
  correlationId: string;
  /** The event leading to the command; null when a caller sends the command. */
  causationId?: string | null;
  idempotencyKey?: string | undefined;
  /** True when the first result of the key counts for any id and input: an event is reacted to once. */
  firstInputWins?: true;
  /** The version the caller insists on. */
  ifMatch?: number | undefined;
}
