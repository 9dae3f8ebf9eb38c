import { sha256 } from "hono/utils/crypto";
import type { Generated } from "kysely";
import type { Database } from "../database/database.ts";
import { IdempotencyKeyReused } from "../errors.ts";
import type { Query } from "./aggregate.ts";
import type { CommandContext } from "./command.ts";

/** What a command returns. Stored with the idempotency key, and returned again to a repeated request. */
export interface CommandResult {
  id: string;
  version: number;
  /** The last event of the stream, or null when it has none. */
  lastEventId: string | null;
}

/** A key belongs to one caller and one command. */
export interface IdempotencyKey {
  caller: string;
  command: string;
  key: string;
  /** Hexadecimal SHA-256 of the input, to tell a repeated request from another request under the same key. */
  fingerprint: string;
}

export interface StoredResult {
  result: CommandResult;
  fingerprint: string;
}

/** The key of a request, if the caller gave one. */
export async function toKey(
  command: string,
  given: { id?: string | undefined; input: unknown },
  { caller, idempotencyKey }: CommandContext,
): Promise<IdempotencyKey | undefined> {
  if (idempotencyKey === undefined) return undefined;
  const fingerprint = await sha256(JSON.stringify([given.id ?? null, given.input]));
  return { caller, command, key: idempotencyKey, fingerprint: fingerprint! };
}

/** The result stored for a key, if there is one. */
export function storedResultOf(db: Database, { caller, command, key }: IdempotencyKey): Query<StoredResult> {
  return db.selectFrom("write.idempotency_keys")
    .select(["result", "fingerprint"])
    .where("caller", "=", caller).where("command", "=", command).where("key", "=", key);
}

/** @throws {IdempotencyKeyReused} If the result belongs to another input: choose a new key. */
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
