import { sql } from "kysely";
import { v7 as uuidv7 } from "uuid";
import type { Database } from "../../src/database/database.ts";
import { isDatabaseError } from "../../src/errors.ts";
import { sleep } from "../../src/sleep.ts";
import type { Random } from "./random.ts";

export interface Load {
  writers: number;
  streams: number;
  /** The number of events committed by each writer. */
  events: number;
  /** The longest time between an append and the end of the transaction. */
  commitDelayMsMax: number;
  rollbackPercent: number;
}

/**
 * Runs writers on shared streams. Each append has a transaction, committed or rolled back after a while.
 * Returns the committed events: the id, and the time of the acknowledgement (milliseconds since 1970).
 */
export async function write(db: Database, load: Load, random: Random): Promise<Map<string, number>> {
  const committed = new Map<string, number>();
  await Promise.all(Array.from({ length: load.writers }, async () => {
    for (let done = 0; done < load.events;) {
      const id = await appendOnce(db, `stress-${random.between(1, load.streams)}`, load, random);
      if (id === undefined) continue;
      committed.set(id, Date.now());
      done++;
    }
  }));
  return committed;
}

/** Returns the id of the event; undefined after a rollback or when another writer was faster. */
async function appendOnce(
  db: Database,
  stream: string,
  load: Load,
  random: Random,
): Promise<string | undefined> {
  const id = uuidv7();
  const delayMs = random.between(0, load.commitDelayMsMax);
  const rollsBack = random.chance(load.rollbackPercent);
  try {
    await db.transaction().execute(async (trx) => {
      const events = JSON.stringify([{ id, type: "Stressed", data: {}, metadata: {} }]);
      await sql`
        select write.append(${stream}, (select coalesce(max(version), 0) from write.events where stream = ${stream}),
          ${events}::text::jsonb, null)`.execute(trx);
      await sleep(delayMs);
      if (rollsBack) throw ROLLBACK;
    });
    return id;
  } catch (error) {
    const outrun = isDatabaseError(error) && ["23505", "CQ001"].includes(error.code);
    if (error === ROLLBACK || outrun) return undefined;
    throw error;
  }
}

const ROLLBACK = new Error("Rolled back on purpose");
