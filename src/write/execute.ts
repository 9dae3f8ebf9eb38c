import { type RawBuilder, sql } from "kysely";
import { jsonObjectFrom } from "kysely/helpers/postgres";
import { v7 as uuidv7 } from "uuid";
import type { Database } from "../database/database.ts";
import {
  CommandRejected,
  isDatabaseError,
  NotFound,
  TryAgain,
  VersionConflict,
  VersionMismatch,
} from "../errors.ts";
import { sleep } from "../sleep.ts";
import type { Query } from "./aggregate.ts";
import { AlreadyCarriedOut, append, explainAppendError } from "./append.ts";
import type { Command, CommandContext } from "./command.ts";
import { type Event, type Metadata, streamOf } from "./event.ts";
import {
  type CommandResult,
  type IdempotencyKey,
  replay,
  type StoredResult,
  storedResultOf,
  toKey,
} from "./idempotency.ts";
import { refuseRounded } from "./rounded.ts";
import { inTurn, whileSaving } from "./turns.ts";

const ATTEMPTS_MAX = 3;
const BACKOFF_MS = 10;

/**
 * Carries out a command: a single query to load (none when nothing is to be loaded), a single statement to
 * save. A missing id is made. After a version conflict, a deadlock or a serialization failure, decides again
 * on the newer state, three times in all. Commands of the process for the same stream take turns.
 *
 * @throws {CommandRejected} If the business says no.
 * @throws {NotFound} If the aggregate does not exist.
 * @throws {VersionMismatch} If the aggregate is not at `ifMatch`.
 * @throws {VersionConflict} If others were faster every time, or the aggregate to be created exists.
 * @throws {TryAgain} If others made PostgreSQL undo the command every time, or the turn does not come: send the
 * command again.
 * @throws {IdempotencyKeyReused} If the key was used with another id or input: choose a new key.
 * @throws {CommandInProgress} If a command with the same key is running.
 */
export async function execute<Input, State, E extends Event, Loaded>(
  db: Database,
  command: Command<Input, State, E, Loaded>,
  given: { id?: string | undefined; input: Input },
  context: CommandContext,
): Promise<CommandResult> {
  const key = await toKey(command.name, given, context);
  const attempt: Attempt<Input> = { id: given.id ?? uuidv7(), input: given.input, key };
  const stream = streamOf(command.aggregate.category, attempt.id);
  return await inTurn(db, stream, key, () => decideUntilSaved(db, command, attempt, context));
}

async function decideUntilSaved<Input, State, E extends Event, Loaded>(
  db: Database,
  command: Command<Input, State, E, Loaded>,
  attempt: Attempt<Input>,
  context: CommandContext,
): Promise<CommandResult> {
  const { key } = attempt;
  let mustLoad = !command.creates || command.load !== undefined;

  for (let attempts = 1;; attempts++) {
    try {
      const found = mustLoad ? await load(db, command, attempt) : NOTHING;
      if (found.stored && key) {
        return context.firstInputWins ? found.stored.result : replay(found.stored, key);
      }
      return await whileSaving(
        db,
        key,
        () => decideAndSave(db, command, attempt, found as Found<Loaded>, context),
      );
    } catch (error) {
      const reason = explain(error, command.name, command.aggregate.constraints);
      const isRepeated = reason instanceof AlreadyCarriedOut;
      const outrun = reason instanceof TryAgain || (reason instanceof VersionConflict && !command.creates);
      // The result is stored by now: the next load finds the result.
      if (!isRepeated && !(outrun && attempts < ATTEMPTS_MAX)) throw reason;
      if (outrun) await sleep(Math.random() * BACKOFF_MS * 2 ** attempts);
      mustLoad = true;
    }
  }
}

interface Attempt<Input> {
  id: string;
  input: Input;
  key: IdempotencyKey | undefined;
}

interface Found<Loaded> {
  loaded: Loaded | null;
  /** The result of an earlier request with the same key. */
  stored: StoredResult | null;
  lastEventId: string | null;
}

const NOTHING = { loaded: null, stored: null, lastEventId: null };

async function load<Input, State, E extends Event, Loaded>(
  db: Database,
  { aggregate, creates, load }: Command<Input, State, E, Loaded>,
  { id, input, key }: Attempt<Input>,
): Promise<Found<Loaded>> {
  const state: Query<unknown> | undefined = load?.(db, id, input) ??
    (creates ? undefined : aggregate.load(db, id));
  const loaded: RawBuilder<unknown> = state ? jsonObjectFrom(state) : sql`null`;
  const stored: RawBuilder<unknown> = key ? jsonObjectFrom(storedResultOf(db, key)) : sql`null`;
  const lastEventId = db.selectFrom("write.events").select("id")
    .where("stream", "=", streamOf(aggregate.category, id)).orderBy("version", "desc").limit(1);
  const found = await db.selectNoFrom([
    loaded.as("loaded"),
    stored.as("stored"),
    lastEventId.as("lastEventId"),
  ])
    .executeTakeFirstOrThrow();
  return found as Found<Loaded>;
}

async function decideAndSave<Input, State, E extends Event, Loaded>(
  db: Database,
  { name, aggregate, creates, decide }: Command<Input, State, E, Loaded>,
  { id, input, key }: Attempt<Input>,
  { loaded, lastEventId }: Found<Loaded>,
  { caller, correlationId, causationId = null, ifMatch }: CommandContext,
): Promise<CommandResult> {
  if (!creates && !loaded) throw new NotFound(`Cannot find ${aggregate.category} ${id}`);
  const before = creates ? { ...aggregate.initial, version: 0 } : loaded as State & { version: number };
  if (ifMatch !== undefined && ifMatch !== before.version) {
    throw new VersionMismatch(
      `Cannot carry out ${name}: ${aggregate.category} ${id} is at version ${before.version}`,
    );
  }

  const decided = decide(input, loaded as Loaded);
  const metadata: Metadata = { actor: caller, correlationId, causationId };
  const events = decided.map((event) => ({ ...event, id: uuidv7(), metadata }));
  const version = before.version + events.length;
  const result = { id, version, lastEventId: events.at(-1)?.id ?? lastEventId };
  if (events.length === 0 && !key) return result;

  const state = decided.reduce<State>(aggregate.evolve, before);
  refuseRounded(name, before, state, decided);
  const writes = events.length === 0
    ? db
    : aggregate.save(db, { id, state, version, created: before.version === 0 });
  await append(writes, {
    stream: streamOf(aggregate.category, id),
    expectedVersion: before.version,
    events,
    idempotency: key && { ...key, result },
  }).executeTakeFirstOrThrow();
  return result;
}

/** Turns an error of the database into an error for the caller to act on. */
function explain(error: unknown, name: string, constraints: Record<string, string> = {}) {
  const reason = explainAppendError(error);
  const constraint = isDatabaseError(reason) ? reason.constraint_name : undefined;
  const code = constraint && constraints[constraint];
  if (!code) return reason;
  return new CommandRejected(code, `Cannot carry out ${name}: ${code.replaceAll("-", " ")}`, {
    cause: error,
  });
}
