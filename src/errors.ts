/** The input is malformed: fix the request. Each problem points at the place in it (a JSON Pointer). */
export class InvalidInput extends Error {
  readonly code: string = "invalid-input";
  readonly problems: { pointer: string; detail: string }[];

  constructor(message: string, problems: { pointer: string; detail: string }[] = []) {
    super(message);
    this.problems = problems;
  }
}

/** The body is not JSON: say `Content-Type: application/json`. */
export class UnsupportedMediaType extends Error {
  readonly code = "unsupported-media-type";
}

/** The body is larger than a command may be. */
export class BodyTooLarge extends Error {
  readonly code = "body-too-large";
}

/** Only the operator may do that. */
export class Unauthorized extends Error {
  readonly code = "unauthorized";
}

/** The business said no, for the reason in `code`: ask for something else. */
export class CommandRejected extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** There is no such thing. */
export class NotFound extends Error {
  readonly code = "not-found";
}

/** The aggregate was changed by somebody else: load it and try again. */
export class VersionConflict extends Error {
  readonly code = "version-conflict";
}

/** The aggregate is not at the version the caller insists on: read it again. */
export class VersionMismatch extends Error {
  readonly code = "version-mismatch";
}

/** The idempotency key belongs to a request with another body: use a new one. */
export class IdempotencyKeyReused extends Error {
  readonly code = "idempotency-key-reused";
}

/** A command with this idempotency key is running: wait, then ask again. */
export class CommandInProgress extends Error {
  readonly code = "command-in-progress";
}

/** The row is still referred to, for the reason in `code`. */
export class StillInUse extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The read model has not reached the event the caller waits for: try again later. */
export class ReadModelBehind extends Error {
  readonly code = "read-model-behind";
}

/** The database gave the command up, as it does to end a deadlock, and nothing was changed: send it again. */
export class TryAgain extends Error {
  readonly code = "try-again";
}

/** The database did not answer: try again later. Whether the statement took effect is not known. */
export class DatabaseUnavailable extends Error {
  readonly code = "database-unavailable";
}

/** A checkpoint is beyond the last position, as after a restore of an older copy: the relay must not go on. */
export class CheckpointBeyondLog extends Error {
  readonly code = "checkpoint-beyond-log";
}

/** What PostgreSQL said: its SQLSTATE and, for a violated constraint, the constraint's name. */
export interface DatabaseError extends Error {
  code: string;
  severity?: string;
  constraint_name?: string;
}

export function isDatabaseError(error: unknown): error is DatabaseError {
  // Not by its name: bundlers shorten those of classes.
  return error instanceof Error && "severity_local" in error && "code" in error;
}

/** How sockets of Cloudflare Workers fail: without a code. */
const WORKERS_SOCKET = /^(proxy request failed|Network connection lost)/;

/** For an error of the driver: whether the connection is gone, as opposed to the query being refused. */
export function isConnectionLost(error: unknown): boolean {
  if (isDatabaseError(error)) return error.severity === "FATAL" || error.severity === "PANIC";
  if (!(error instanceof Error)) return false;
  // EPIPE: Node's socket refuses to write after the server has ended the connection, without an errno.
  return "errno" in error || ("code" in error && error.code === "EPIPE") ||
    WORKERS_SOCKET.test(error.message);
}

/**
 * SQLSTATEs that mean "not now": a full disk, no memory, too many connections, a lock or a statement that took too long,
 * shutting down.
 */
const NOT_NOW = ["53100", "53200", "53300", "55P03", "57014", "57P01", "57P02", "57P03"];

/** Whether the database cannot answer at the moment: the same may work later. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof DatabaseUnavailable || (isDatabaseError(error) && NOT_NOW.includes(error.code));
}

/** serialization_failure, deadlock_detected. */
const GIVEN_UP = ["40001", "40P01"];

/** Whether PostgreSQL undid the statement because of others: the same one may go well now. */
export function isGivenUp(error: unknown): boolean {
  return isDatabaseError(error) && GIVEN_UP.includes(error.code);
}
