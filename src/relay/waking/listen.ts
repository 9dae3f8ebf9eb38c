import type { Database } from "../../database/database.ts";
import { getLogger } from "../../logging.ts";
import { sleep } from "../../sleep.ts";
import { createLine, type Line } from "./line.ts";
import { reportListener } from "./listeners.ts";

/** Together with the time to connect and to probe, less than 15 seconds: the limit for noticing deafness. */
const PROBE_EVERY_MS = 5_000;
const TRY_AGAIN_MS_MIN = 250;
const TRY_AGAIN_MS_MAX = 5_000;

const logger = getLogger("cqrs.relay");

/**
 * Calls `onWake` when a writer has woken the relay, until the signal aborts. Never fails: without
 * notifications, the relay polls. A connection may be open and yet deaf: half-open, through a transaction
 * pooler, or to another server. Therefore the relay notifies itself, and opens a new connection after an
 * unheard notification.
 * @see docs/decisions/0008-listening.md
 */
export async function listen(
  db: Database,
  url: string,
  onWake: () => void,
  signal: AbortSignal,
): Promise<void> {
  const reporter = reportListener(db);
  let hears: boolean | undefined;
  let failures = 0;
  const tell = async (heard: boolean, why = "the queue of notifications is full") => {
    if (heard !== hears) {
      if (heard && hears === false) logger.info("Notifications arrive again");
      if (!heard) logger.warn("Cannot be notified, polling instead: {why}", { why });
    }
    // Notifications sent to a deaf relay are lost.
    if (heard && !hears) onWake();
    failures = heard ? 0 : failures + 1;
    hears = heard;
    await reporter.say(heard);
  };

  while (!signal.aborted) {
    const line = createLine(url, onWake, signal);
    try {
      await line.open();
      await probeUntilDeaf(db, line, tell, signal);
    } catch (error) {
      if (!signal.aborted) await tell(false, (error as Error).message);
    } finally {
      line.end();
    }
    await sleep(Math.min(TRY_AGAIN_MS_MAX, TRY_AGAIN_MS_MIN * 2 ** failures), signal);
  }
  await reporter.leave();
}

/** @throws {Error} If a probe is not heard. */
async function probeUntilDeaf(
  db: Database,
  line: Line,
  tell: (heard: boolean) => Promise<void>,
  signal: AbortSignal,
) {
  while (!signal.aborted) {
    await tell(await line.probe(db));
    await sleep(PROBE_EVERY_MS, line.closed);
  }
}
