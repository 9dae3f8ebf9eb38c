import type { Database } from "../../database/database.ts";
import { getLogger } from "../../logging.ts";
import { sleep } from "../../sleep.ts";
import { createLine, type Line } from "./line.ts";
import { reportListener } from "./listeners.ts";

/** With the time to connect and to probe, it stays below the 15 seconds in which deafness is noticed. */
const PROBE_EVERY_MS = 5_000;
const TRY_AGAIN_MS_MIN = 250;
const TRY_AGAIN_MS_MAX = 5_000;

const logger = getLogger("cqrs.relay");

/**
 * Calls back when a writer has woken the relay, until the signal aborts. Never fails: without notifications, the relay
 * polls. A connection may be open and yet deaf: half-open, through a transaction pooler, or to another server. So the
 * relay notifies itself, and listens through a new connection when it does not hear that.
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
    // What was sent while it did not hear is lost.
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

/** @throws {Error} If it does not hear any more. */
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
