import { sql } from "kysely";
import { refresh, retrySetAside } from "./refresh.ts";
import type { Relay } from "./relay.ts";
import type { Reader, Subscribed } from "./start-work.ts";
import { isReadModel, type ReadModelSubscription } from "./subscription.ts";

/** A longer refresh would hold up the read models refreshed in the same transaction. */
const QUICK_MS = 50;

type Due = Subscribed & { subscription: ReadModelSubscription };

/**
 * Starts the refresh of every read model that is behind or has events set aside. Returns the names. Read models at the
 * same position are refreshed together: one round trip and one commit. Slow read models go alone.
 */
export function startRefreshes(
  relay: Relay,
  subscribed: Subscribed[],
  lastPosition: number,
  eventsAfter: Reader,
): string[] {
  const due = subscribed.filter((one): one is Due =>
    isReadModel(one.subscription) && one.isDue && !relay.tasks.has(one.name) &&
    (one.position < lastPosition || one.setAside.length > 0)
  );
  const groups = new Map<string | number, Due[]>();
  for (const one of due) {
    const place = relay.apart.has(one.name) || one.setAside.length > 0 ? one.name : one.position;
    groups.set(place, [...groups.get(place) ?? [], one]);
  }
  for (const group of groups.values()) {
    if (group.length > 1) startTogether(relay, group, eventsAfter);
    else startAlone(relay, group[0]!, eventsAfter);
  }
  return due.map(({ name }) => name);
}

function startAlone(relay: Relay, due: Due, eventsAfter: Reader): void {
  relay.tasks.start(due.name, () => refreshAlone(relay, due, eventsAfter));
}

async function refreshAlone(
  { db, apart }: Relay,
  { subscription, name, position, setAside }: Due,
  eventsAfter: Reader,
): Promise<number> {
  const shown = await retrySetAside(db, subscription, position, setAside);
  const events = await eventsAfter(position);
  const startedAt = performance.now();
  const handled = await refresh(db, subscription, position, events);
  const isQuick = performance.now() - startedAt < QUICK_MS;
  if (isQuick) apart.delete(name);
  else apart.add(name);
  return shown + handled;
}

function startTogether(relay: Relay, group: Due[], eventsAfter: Reader): void {
  const together = refreshTogether(relay, group, eventsAfter);
  for (const due of group) {
    relay.tasks.start(
      due.name,
      async () => (await together).get(due.name) ?? await refreshAlone(relay, due, eventsAfter),
    );
  }
}

/** Returns the number of handled events by read model. Missing: the read model has to be refreshed alone. */
async function refreshTogether(
  { db, apart }: Relay,
  group: Due[],
  eventsAfter: Reader,
): Promise<Map<string, number>> {
  const from = group[0]!.position;
  const events = await eventsAfter(from).catch(() => []);
  const to = events.at(-1)?.position;
  const stale = group.flatMap(({ name, subscription }) => {
    const keys = subscription.keysOf(events);
    return keys ? [{ name, keys }] : [];
  });
  if (to === undefined || stale.length < 2) return new Map();
  const startedAt = performance.now();
  try {
    const call = sql<string[]>`relay.refresh_together(${from}, ${to}, ${JSON.stringify(stale)}::text::jsonb)`;
    const { claimed } = await db.selectNoFrom(call.as("claimed")).executeTakeFirstOrThrow();
    return new Map(stale.map(({ name }) => [name, claimed.includes(name) ? events.length : 0]));
  } catch {
    // Alone, each finds out whose fault the failure was.
    return new Map();
  } finally {
    if (performance.now() - startedAt >= QUICK_MS) {
      for (const { name, keys } of stale) if (keys.length > 0) apart.add(name);
    }
  }
}
