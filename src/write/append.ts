import { sql } from "kysely";
import { CommandInProgress, isDatabaseError, isGivenUp, TryAgain, VersionConflict } from "../errors.ts";
import type { Statement } from "./aggregate.ts";
import type { Event, Metadata } from "./event.ts";
import type { CommandResult, IdempotencyKey } from "./idempotency.ts";

export interface Append {
  stream: string;
  /** The required version of the stream; 0 when the stream must not exist. */
  expectedVersion: number;
  events: (Event & { id: string; metadata: Metadata })[];
  /** The command's idempotency key, if any, and the result to store with the key. */
  idempotency?: IdempotencyKey & { result: CommandResult } | undefined;
}

/**
 * Ends a statement with the append of the events: the whole statement is a single atomic command. The select
 * reads the result of `write.append` because PostgreSQL would not run a call without a reader.
 * @see migrations/0002_events.sql
 */
export function append(statement: Statement, { stream, expectedVersion, events, idempotency }: Append) {
  return statement.selectNoFrom(
    sql<number>`write.append(${stream}, ${expectedVersion}, ${json(events)}, ${json(idempotency ?? null)})`
      .as(
        "version",
      ),
  );
}

/** The key has a result already, stored after the load or not looked for: load the result. */
export class AlreadyCarriedOut extends Error {}

/** Translates an error of an append; returns other errors unchanged. */
export function explainAppendError(error: unknown): unknown {
  if (!isDatabaseError(error)) return error;
  if (isGivenUp(error)) return new TryAgain(`Cannot append: ${error.message}`, { cause: error });
  switch (error.code) {
    case "CQ001":
      // Without the stream and the version, in PostgreSQL's message: the caller may not know either.
      return new VersionConflict("Cannot append: another command was there before", { cause: error });
    case "CQ002":
      return new AlreadyCarriedOut(error.message, { cause: error });
    case "CQ003":
      return new CommandInProgress(error.message, { cause: error });
    case "23505":
      if (error.constraint_name !== "events_stream_version_key") return error;
      return new VersionConflict("Cannot append: another command was faster", { cause: error });
    default:
      return error;
  }
}

/** Returns text for PostgreSQL to turn into jsonb: the driver would encode a value a second time. */
function json(value: unknown) {
  return sql`${value === null ? null : JSON.stringify(value)}::text::jsonb`;
}
