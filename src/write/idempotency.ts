import { sha256 } from "hono/utils/crypto";
import type { Generated } from "kysely";
import type { Database } from "../database/database.ts";
import { IdempotencyKeyReused } from "../errors.ts";
import type { Query } from "./aggregate.ts";
import type { CommandContext } from "./command.ts";

/** The result of a command: stored with the idempotency key, and returned again to a repeated request. */
export interface CommandResult {
  id: string;
  version: number;
  /** The last event of the stream, or null without any event. */
  lastEventId: string | null;
}

/** A key belongs to a single caller and a single command. */
export interface IdempotencyKey {
  caller: string;
  command: string;
  key: string;
  /** Hexadecimal SHA-256 of id and input: tells a repeated request from another request with the same key. */
  fingerprint: string;
}

export interface StoredResult {
  result: CommandResult;
  fingerprint: string;
}

/** Returns the key of a request, or undefined when the caller gave none. */
export async function toKey(
  command: string,
  given: { id?: string | undefined; input: unknown },
  { caller, idempotencyKey }: CommandContext,
): Promise<IdempotencyKey | undefined> {
  if (idempotencyKey === undefined) return undefined;
  const fingerprint = await sha256(JSON.stringify([given.id ?? null, given.input]));
  return { caller, command, key: idempotencyKey, fingerprint: fingerprint! };
}

/** Returns a query for the result stored for a key; no row without a result. */
export function storedResultOf(db: Database, { caller, command, key }: IdempotencyKey): Query<StoredResult> {
  return db.selectFrom("write.idempotency_keys")
    .select(["result", "fingerprint"])
    .where("caller", "=", caller).where("command", "=", command).where("key", "=", key);
}

/**
 * Returns the stored result to a repeated request.
 * @throws {IdempotencyKeyReused} If the result belongs to another id or input: choose a new key.
 */
export function replay(stored: StoredResult, { key, fingerprint }: IdempotencyKey): CommandResult {
  if (stored.fingerprint !== fingerprint) {
    throw new IdempotencyKeyReused(`Cannot use idempotency key again: ${key} was sent with another body`);
  }
  return stored.result;
}

declare module "../database/database.ts" {
  interface Tables {
    "write.idempotency_keys": {
      caller: string;
      command: string;
      key: string;
      fingerprint: string;
      result: CommandResult;
      created_at: Generated<Date>;
    };
  }
}
