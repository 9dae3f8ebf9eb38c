import { sql } from "kysely";
import type { ReadModelSubscription } from "../relay/subscription.ts";
import { aggregateId, type RecordedEvent } from "../write/event.ts";

/**
 * A view for queries, over events of the given types. `read.<name>_source` defines the content; `read.<name>`
 * holds the content, and is kept fresh.
 * @see docs/decisions/0005-one-definition.md
 */
export interface ReadModel<EventType extends string = string> {
  readonly name: string;
  /** A table, recomputed for the keys touched by events, or a materialized view, refreshed as a whole. */
  readonly refresh: "changed keys" | "whole";
  /** The keys an event makes stale, by the type of the event. Other events change nothing. */
  readonly staleKeys: { readonly [Type in EventType]?: (event: RecordedEvent) => string[] };
}

/** Returns the id of the event's aggregate, for read models with a row for each aggregate. */
export function itself(event: RecordedEvent): string[] {
  return [aggregateId(event)];
}

/** Returns the subscription of a read model. Content and checkpoint move in the same transaction. */
export function subscribeReadModel({ name, refresh, staleKeys }: ReadModel): ReadModelSubscription {
  return {
    name,
    kind: `read model, ${refresh}`,
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
