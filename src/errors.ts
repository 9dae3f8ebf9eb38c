/** The input is malformed: fix the request. Each problem has a JSON Pointer to the bad place. */
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

/** The caller is not the operator: send the operator's token. */
export class Unauthorized extends Error {
  readonly code = "unauthorized";
}

/** The caller sends more than is good: wait, as `Retry-After` says. */
export class TooManyRequests extends Error {
  readonly code = "too-many-requests";
}

/** The caller may not do that. */
export class Forbidden extends Error {
  readonly code = "forbidden";
}

/** The business said no, for the reason in `code`: ask for something else. */
export class CommandRejected extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Nothing has the given id or path. */
export class NotFound extends Error {
  readonly code = "not-found";
}

/** The path has no such method: choose another, named in `Allow`. */
export class MethodNotAllowed extends Error {
  readonly code = "method-not-allowed";
}

/** Another command changed or created the aggregate: load the aggregate and try again. */
export class VersionConflict extends Error {
  readonly code = "version-conflict";
}

/** The aggregate is not at the version named by the caller: read the aggregate again. */
export class VersionMismatch extends Error {
  readonly code = "version-mismatch";
}

/** The idempotency key belongs to a request with another id or body: use a new key. */
export class IdempotencyKeyReused extends Error {
  readonly code = "idempotency-key-reused";
}

/** A command with the same idempotency key is running: wait, and ask again. */
export class CommandInProgress extends Error {
  readonly code = "command-in-progress";
}

/** The event is not parked, or no longer: list the parked events again. */
export class NoLongerParked extends Error {
  readonly code = "no-longer-parked";
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

/** The event of the token was given up for the read model: an operator has to retry or has skipped the event. */
export class EventParked extends Error {
  readonly code = "event-parked";
}

/**
 * PostgreSQL undid the statement, for example to end a deadlock, or too many commands wait for the stream.
 * Nothing was changed: send it again.
 */
export class TryAgain extends Error {
  readonly code = "try-again";
}

/** The database did not answer: try again later. The statement may or may not have taken effect. */
export class DatabaseUnavailable extends Error {
  readonly code = "database-unavailable";
}

/** A checkpoint is beyond the last position, as after a restore of an older copy: the relay must stop. */
export class CheckpointBeyondLog extends Error {
  readonly code = "checkpoint-beyond-log";
}

/** An error of PostgreSQL: the SQLSTATE and, for a violated constraint, the constraint's name. */
export interface DatabaseError extends Error {
  code: string;
  severity?: string;
  constraint_name?: string;
}

export function isDatabaseError(error: unknown): error is DatabaseError {
  // Not by the class name: bundlers shorten class names.
  return error instanceof Error && "severity_local" in error && "code" in error;
}

/** The messages of socket errors on Cloudflare Workers: the errors have no code. */
const WORKERS_SOCKET = /^(proxy request failed|Network connection lost)/;

/**
 * The codes of errors without an errno: a socket refuses to write after the server has ended the connection,
 * the server ends a TLS handshake, or has the wrong certificate.
 */
const LOST = /^(EPIPE|ECONNRESET|ERR_(TLS|SSL)|UNABLE_TO)|CERT/;

/** Returns true for a driver's error if the connection is gone, false if the query was refused. */
export function isConnectionLost(error: unknown): boolean {
  if (isDatabaseError(error)) return error.severity === "FATAL" || error.severity === "PANIC";
  if (!(error instanceof Error)) return false;
  return "errno" in error || ("code" in error && LOST.test(String(error.code))) ||
    WORKERS_SOCKET.test(error.message);
}

/**
 * SQLSTATEs for "not now": a read-only transaction (some platforms make a database read-only before the disk
 * is full; a standby is), a full disk, no memory, too many connections, a lock or a statement over the time
 * limit, a server that starts or stops.
 */
const NOT_NOW = ["25006", "53100", "53200", "53300", "55P03", "57014", "57P01", "57P02", "57P03"];

/** Returns true if the database cannot answer at the moment: the same statement may work later. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof DatabaseUnavailable || (isDatabaseError(error) && NOT_NOW.includes(error.code));
}

/** Returns true if a statement, or the wait for a lock, took longer than the time limit. */
export function isOverTimeLimit(error: unknown): boolean {
  return isDatabaseError(error) && ["57014", "55P03"].includes(error.code);
}

/** serialization_failure, deadlock_detected. */
const GIVEN_UP = ["40001", "40P01"];

/** Returns true if PostgreSQL undid the statement because of others: the same statement may work now. */
export function isGivenUp(error: unknown): boolean {
  return isDatabaseError(error) && GIVEN_UP.includes(error.code);
}

/** Returns an error's message in a form that PostgreSQL can store: without NUL and halves of surrogate pairs. */
export function toStorable(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll("\0", "").toWellFormed();
}
