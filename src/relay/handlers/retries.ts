import pMap from "p-map";
import { type Generated, sql } from "kysely";
import type { Database } from "../../database/database.ts";
import { getLogger } from "../../logging.ts";
import type { RecordedEvent } from "../../write/event.ts";
import { backoffMs, type Failure, tryOnce } from "./attempt.ts";
import type { Handler } from "./handler.ts";
import { LEASE_MS, sayEnd, whileRenewing } from "./lease.ts";
import { listEventsAt } from "../events.ts";

const RETRIES_AT_ONCE = 8;
const ATTEMPTS_MAX = 8;

const logger = getLogger("cqrs.relay");

/** An event being tried again. */
interface Retry {
  id: number;
  position: number;
  /** The number of tries, the present try included. */
  attempts: number;
  /** Rises with every try: a try with a smaller fence has lost the lease. */
  fence: number;
}

/** Tries again the due events of a handler. Returns the number of tries. */
export async function retryDue(db: Database, handler: Handler): Promise<number> {
  const { name, attemptsMax = ATTEMPTS_MAX } = handler;
  const lease = sql<Retry>`relay.lease_retries(${name}, ${attemptsMax}, ${RETRIES_AT_ONCE}, ${LEASE_MS})`;
  const retries = await db.selectFrom(lease.as("retry")).selectAll().execute();
  if (retries.length === 0) return 0;
  const events = await listEventsAt(db, retries.map(({ position }) => position));
  await whileRenewing(
    () => renew(db, retries),
    () => pMap(retries, (retry) => tryAgain(db, handler, retry, events), { stopOnError: false }),
  );
  return retries.length;
}

async function tryAgain(
  db: Database,
  handler: Handler,
  retry: Retry,
  events: RecordedEvent[],
): Promise<void> {
  const event = events.find(({ position }) => position === retry.position)!;
  const isWanted = handler.concerns?.(event) ?? true;
  const failure = isWanted ? await tryOnce(handler, event) : undefined;
  await sayEnd(() => failure ? keep(db, handler, retry, failure) : forget(db, retry));
}

async function renew(db: Database, retries: Retry[]): Promise<boolean> {
  for (const retry of retries) {
    await ours(db, retry).set({ due_at: sql<Date>`relay.in_ms(${LEASE_MS})` }).execute();
  }
  return true;
}

async function forget(db: Database, { id, fence }: Retry): Promise<void> {
  await db.deleteFrom("relay.retries").where("id", "=", id).where("fence", "=", fence).execute();
}

async function keep(
  db: Database,
  { name, attemptsMax = ATTEMPTS_MAX }: Handler,
  retry: Retry,
  failure: Failure,
) {
  const attempts = failure.counts ? retry.attempts : retry.attempts - 1;
  const isLast = failure.counts && attempts >= attemptsMax;
  await ours(db, retry).set({
    attempts,
    last_error: failure.message,
    due_at: sql<Date>`relay.in_ms(${backoffMs(attempts)})`,
    parked_at: isLast ? sql<Date>`clock_timestamp()` : null,
  }).execute();
  const { position } = retry;
  const properties = { name, position, attempts, message: failure.message };
  if (isLast) logger.error("Parked event {position} of {name} after {attempts} tries: {message}", properties);
  else logger.warn("Try {attempts} of event {position} for {name} failed: {message}", properties);
}

function ours(db: Database, { id, fence }: Retry) {
  return db.updateTable("relay.retries").where("id", "=", id).where("fence", "=", fence)
    .where("parked_at", "is", null);
}

declare module "../../database/database.ts" {
  interface Tables {
    "relay.retries": {
      id: Generated<number>;
      subscription: string;
      position: number;
      stream: string;
      attempts: number;
      fence: Generated<number>;
      due_at: Date;
      last_error: string | null;
      parked_at: Date | null;
    };
  }
}
