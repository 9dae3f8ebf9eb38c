import type { Database } from "../database/database.ts";
import { getLogger } from "../logging.ts";
import type { RecordedEvent } from "../write/event.ts";
import { listEvents } from "./events.ts";
import { typesOf } from "./handlers/lanes.ts";
import type { LookedFor, Outlook } from "./number.ts";
import { ownSubscriptions, type Relay } from "./relay.ts";
import { isReadModel, type Subscription } from "./subscription.ts";

const logger = getLogger("cqrs.relay");

/** A subscription and its checkpoint. */
export type Subscribed = Outlook["checkpoints"][number] & { subscription: Subscription };
export type Reader = (after: number) => Promise<RecordedEvent[]>;

/** Returns the handlers of a relay, to look for their work. */
export function listHandlers(relay: Relay): LookedFor[] {
  return ownSubscriptions(relay).flatMap((subscription) => {
    if (isReadModel(subscription)) return [];
    const { name, handler } = subscription;
    return [{ name, types: typesOf(handler), since: relay.crew.sinceOf(handler) }];
  });
}

/** Returns the subscriptions with their checkpoints. */
export function listSubscribed(subscriptions: Subscription[], { checkpoints }: Outlook): Subscribed[] {
  return subscriptions.flatMap((subscription) => {
    const checkpoint = checkpoints.find(({ name }) => name === subscription.name);
    if (checkpoint) return [{ ...checkpoint, subscription }];
    logger.error("Cannot find the checkpoint of {name}: a migration has to add it", {
      name: subscription.name,
    });
    return [];
  });
}

/** Tells the handlers the news. Each goes on in the background. */
export function startHandlers(
  { db, crew, stopping }: Relay,
  subscribed: Subscribed[],
  { lanes, lastPosition, now }: Outlook,
  eventsAfter: Reader,
): void {
  for (const { subscription, position, isDue } of subscribed) {
    if (isReadModel(subscription)) continue;
    const found = lanes.find(({ name }) => name === subscription.name);
    if (!found) continue;
    const { isNewest, dueStates } = found;
    const mayHandOut = isDue && isNewest;
    const news = { position, lastPosition, isNewest, mayHandOut, dueStates, now, eventsAfter };
    crew.hear(db, subscription.handler, news, stopping);
  }
}

/**
 * Reads each page of events only once: most subscriptions stand at the same position, usually at the end of the log
 * as of the last look. Takes the events of a look for the page after `seen`.
 */
export function createReader(
  db: Database,
  limit: number,
  { events, lastPosition }: Outlook,
  seen: number | null,
) {
  const pages = new Map<number, Promise<RecordedEvent[]>>();
  const isWhole = events.length <= limit && events.at(-1)?.position === lastPosition;
  if (seen !== null && isWhole) pages.set(seen, Promise.resolve(events));
  return (after: number) => {
    const page = pages.get(after) ?? listEvents(db, after, limit);
    pages.set(after, page);
    return page;
  };
}
