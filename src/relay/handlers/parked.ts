import { sql } from "kysely";
import type { Database } from "../../database/database.ts";
import { NoLongerParked, NotFound } from "../../errors.ts";

/** An event given up by a subscription. The event and later events of the stream wait for the operator. */
export interface Parked {
  /** `<subscription>:<stream>:<version>`. */
  id: string;
  subscription: string;
  position: number;
  eventId: string;
  stream: string;
  version: number;
  type: string;
  attempts: number;
  error: string | null;
  parkedAt: Date;
  /** The number of later events of the stream waiting behind the parked event. */
  waiting: number;
}

/** A parked event: the next of the stream for the subscription, until retried or skipped. */
export interface ParkedId {
  subscription: string;
  stream: string;
  version: number;
}

/** Returns the parts of a parked event's id, or undefined for any other text. */
export function parseParkedId(id: string): ParkedId | undefined {
  const [, subscription, stream, version] = /^([^:]+):(.+):([1-9]\d{0,8})$/s.exec(id) ?? [];
  return subscription && stream ? { subscription, stream, version: Number(version) } : undefined;
}

/** Returns parked events after `[subscription, stream, version]`, at most `limit`, in that order. */
export async function listParked(
  db: Database,
  [subscription, stream, version]: [string, string, number],
  limit: number,
): Promise<Parked[]> {
  const rows = await db.selectFrom("relay.parked as parked")
    .innerJoin(
      "write.events as event",
      (join) =>
        join.onRef("event.stream", "=", "parked.stream").onRef("event.version", "=", "parked.version"),
    )
    .innerJoin("relay.log as log", "log.event_id", "event.id")
    .select(["parked.subscription", "log.position", "event.id as eventId"])
    .select(["event.stream", "event.version", "event.type", "parked.attempts", "parked.last_error as error"])
    .select(["parked.parked_at as parkedAt", "parked.waiting"])
    .where(
      sql<
        boolean
      >`(parked.subscription, parked.stream, parked.version) > (${subscription}, ${stream}, ${version})`,
    )
    .orderBy("parked.subscription").orderBy("parked.stream").orderBy("parked.version").limit(limit).execute();
  return rows.map((row) => ({ id: `${row.subscription}:${row.stream}:${row.version}`, ...row }));
}

/**
 * Makes all parked events of a subscription due, or those with an error. Each event gets another try, and is
 * parked again if the try fails. Returns the number of events.
 */
export async function retryAllParked(
  db: Database,
  { subscription, error = null }: { subscription: string; error?: string | null | undefined },
): Promise<number> {
  const call = sql<number>`relay.retry_parked(${subscription}, null, null, ${error})`;
  const { number } = await db.selectNoFrom(call.as("number")).executeTakeFirstOrThrow();
  return number;
}

/**
 * Makes a parked event due.
 * @throws {NoLongerParked} If the event is not parked, or no longer.
 * @throws {NotFound} If the event does not exist.
 */
export async function retryParked(db: Database, id: ParkedId): Promise<void> {
  const { subscription, stream, version } = id;
  const call = sql<number>`relay.retry_parked(${subscription}, ${stream}, ${version}, null)`;
  const { number } = await db.selectNoFrom(call.as("number")).executeTakeFirstOrThrow();
  if (number === 0) throw await explainMissing(db, id);
}

/**
 * Passes over a parked event for ever, and keeps a record of the operator's reason. Later events follow.
 * @throws {NoLongerParked} If the event is not parked, or no longer.
 * @throws {NotFound} If the event does not exist.
 */
export async function skipParked(
  db: Database,
  id: ParkedId,
  reason: string,
  operator: string,
): Promise<void> {
  const { subscription, stream, version } = id;
  const call = sql<
    boolean
  >`relay.skip_parked(${subscription}, ${stream}, ${version}, ${reason}, ${operator})`;
  const { skipped } = await db.selectNoFrom(call.as("skipped")).executeTakeFirstOrThrow();
  if (!skipped) throw await explainMissing(db, id);
}

async function explainMissing(db: Database, { subscription, stream, version }: ParkedId): Promise<Error> {
  const { isKnown } = await db.selectNoFrom(({ and, exists, selectFrom }) =>
    and([
      exists(selectFrom("relay.checkpoints").where("subscription", "=", subscription)),
      exists(selectFrom("write.events").where("stream", "=", stream).where("version", "=", version)),
    ]).$castTo<boolean>().as("isKnown")
  ).executeTakeFirstOrThrow();
  const what = `version ${version} of ${stream} for ${subscription}`;
  return isKnown
    ? new NoLongerParked(`Cannot find a parked event: ${what} is not parked, or no longer`)
    : new NotFound(`Cannot find ${what}`);
}

declare module "../../database/database.ts" {
  interface Tables {
    "relay.parked": {
      subscription: string;
      stream: string;
      version: number;
      attempts: number;
      last_error: string | null;
      parked_at: Date;
      waiting: number;
    };
  }
}
