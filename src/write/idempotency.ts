import type { Generated } from "kysely";
import type { Database } from "../database/database.ts";
import { IdempotencyKeyReused } from "../errors.ts";
import type { Query } from "./aggregate.ts";
import type { CommandContext } from "./command.ts";

/** What a command answers. It is kept with the idempotency key, and given again to a repeated request. */
export interface Answer {
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
  /** Tells a repeated request from another one under the same key. */
  fingerprint: string;
}

export type Answered = IdempotencyKey & { answer: Answer };

/** The key of a request, if the caller gave one. */
export async function toKey(
  command: string,
  given: { id?: string | undefined; input: unknown },
  { caller, idempotencyKey }: CommandContext,
): Promise<IdempotencyKey | undefined> {
  if (idempotencyKey === undefined) return undefined;
  return { caller, command, key: idempotencyKey, fingerprint: await digest([given.id ?? null, given.input]) };
}

/** Hexadecimal SHA-256. */
async function digest(input: unknown): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(input)));
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The answer kept for a key, if there is one. */
export function answerOf(db: Database, { caller, command, key }: IdempotencyKey): Query<Kept> {
  return db.selectFrom("write.idempotency_keys")
    .select(["answer", "fingerprint"])
    .where("caller", "=", caller).where("command", "=", command).where("key", "=", key);
}

export interface Kept {
  answer: Answer;
  fingerprint: string;
}

/** @throws {IdempotencyKeyReused} If the answer was given to another input: choose a new key. */
export function replay(kept: Kept, { key, fingerprint }: IdempotencyKey): Answer {
  if (kept.fingerprint !== fingerprint) {
    throw new IdempotencyKeyReused(`Cannot use idempotency key again: ${key} was sent with another body`);
  }
  return kept.answer;
}

declare module "../database/database.ts" {
  interface Tables {
    "write.idempotency_keys": {
      caller: string;
      command: string;
      key: string;
      fingerprint: string;
      answer: Answer;
      created_at: Generated<Date>;
    };
  }
}
