import type * as z from "zod/mini";
import type { Database } from "../database/database.ts";
import type { Aggregate, Query } from "./aggregate.ts";
import type { Event } from "./event.ts";

/** An intention: the shape of its input, what it has to know, and the rule that turns it into events. */
export interface Command<Input, State, E extends Event, Loaded = State & { version: number }> {
  /** In the imperative. */
  name: string;
  input: z.ZodMiniType<Input, Input>;
  aggregate: Aggregate<State, E>;
  /** Whether it begins a stream. Then `load` brings only what `decide` wants to know, if anything. */
  creates?: true;
  /** One query; no row means that the aggregate does not exist. The aggregate's own query when left out. */
  load?(db: Database, id: string, input: Input): Query<Loaded>;
  /** Pure: no I/O, no clock, no randomness. @throws {CommandRejected} If the business says no. */
  decide(input: Input, loaded: Loaded): E[];
}

/** Who sends a command, and under which conditions. */
export interface CommandContext {
  caller: string;
  correlationId: string;
  /** The event that led to the command, when it was not a caller. */
  causationId?: string | null;
  idempotencyKey?: string | undefined;
  /** The version the caller insists on. */
  ifMatch?: number | undefined;
}
