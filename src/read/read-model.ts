import { sql } from "kysely";
import type { Subscription } from "../relay/subscription.ts";
import { aggregateId, type RecordedEvent } from "../write/event.ts";

/**
 * A view for queries, over events of the given types. `read.<name>_source` says what it shows; `read.<name>`
 * holds that, and is kept fresh.
 * @see docs/decisions/0005-one-definition.md
 */
export interface ReadModel<EventType extends string = string> {
  readonly name: string;
  /** A table in which the keys that events touch are recomputed, or a materialized view refreshed as a whole. */
  readonly refresh: "changed keys" | "whole";
  /** The keys an event makes stale, by the type of the event. Other events do not concern it. */
  readonly staleKeys: { readonly [Type in EventType]?: (event: RecordedEvent) => string[] };
}

/** For read models with a row for each aggregate: the event's own. */
export function itself(event: RecordedEvent): string[] {
  return [aggregateId(event)];
}

/** The subscription that keeps a read model fresh. Content and checkpoint move in one transaction. */
export function subscribeReadModel({ name, refresh, staleKeys }: ReadModel): Subscription {
  return {
    name,
    kind: `read model, ${refresh}`,
    isReadModel: true,
    async handle(db, { from, to, events }) {
      const keys = [...new Set(events.flatMap((event) => staleKeys[event.type]?.(event) ?? []))];
      const call = refresh === "whole" && keys.length > 0
        ? sql<boolean>`relay.refresh_whole(${name}, ${from}, ${to})`
        : sql<boolean>`relay.refresh_keys(${name}, ${from}, ${to}, ${keys}::text[])`;
      const { refreshed } = await db.selectNoFrom(call.as("refreshed")).executeTakeFirstOrThrow();
      return refreshed;
    },
  };
}
