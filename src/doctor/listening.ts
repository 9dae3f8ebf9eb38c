import { createLine } from "../relay/waking/line.ts";
import { type Finding, type Login, ok, placeOf, warning } from "./finding.ts";

/** Sends a notification as the relay, and waits for the arrival on the relay's listening connection. */
export async function checkListening(logins: Login[]): Promise<Finding[]> {
  const direct = logins.find(({ role }) => role === "direct");
  const relay = logins.find(({ role }) => role === "relay");
  if (!direct || !relay) return [];
  const place = placeOf(direct);
  const line = createLine(direct.url, () => {}, new AbortController().signal);
  try {
    await line.open();
    if (await line.probe(relay.db)) return [ok(`Notifications arrive at ${place}`)];
    const what = "Nobody is notified: the server's queue of notifications is full";
    return [
      warning(
        what,
        "End the sessions that listen and have had a transaction open for long: see pg_stat_activity",
      ),
    ];
  } catch (error) {
    const what = `Notifications do not arrive at ${place}: ${(error as Error).message}`;
    return [
      warning(
        what,
        "Set DATABASE_DIRECT_URL to the relay's login, past any pooler; until then, the relay looks once a second",
      ),
    ];
  } finally {
    line.end();
  }
}
