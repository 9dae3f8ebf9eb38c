import { type RawBuilder, sql } from "kysely";
import type { Database } from "../database/database.ts";
import { isConnectionLost, isDatabaseError, isGivenUp, isUnavailable } from "../errors.ts";
import type { Batch, ReadModelSubscription } from "../relay/subscription.ts";
import { aggregateId, type RecordedEvent } from "../write/event.ts";
import { type Stale, toStale } from "./stale.ts";

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

type Range = Pick<Batch, "from" | "to">;

/** Returns the id of the event's aggregate, for read models with a row for each aggregate. */
export function itself(event: RecordedEvent): string[] {
  return [aggregateId(event)];
}

/** Returns the subscription of a read model. Content and checkpoint move in the same transaction. */
export function subscribeReadModel(model: ReadModel): ReadModelSubscription {
  const { name, refresh, staleKeys } = model;
  const toConcerned = (events: RecordedEvent[]) =>
    events.map((event) => toStale(staleKeys, event)).filter(isConcerned);
  return {
    name,
    kind: `read model, ${refresh}`,
    async handle(db, { from, to, events }) {
      const stale = toConcerned(events);
      if (refresh === "whole" && stale.length > 0) return await refreshWhole(db, name, from);
      const isRefreshed = stale.some(({ error }) => error !== undefined)
        ? await refreshEach(db, name, { from, to }, stale)
        : await refreshKeys(db, name, { from, to }, stale);
      return isRefreshed ? to : null;
    },
    keysOf(events) {
      const stale = toConcerned(events);
      const mustBeHandled = refresh === "whole"
        ? stale.length > 0
        : stale.some(({ error }) => error !== undefined);
      return mustBeHandled ? null : uniqueKeys(stale);
    },
    async handleSetAside(db, events) {
      const stale = JSON.stringify(events.map((event) => toStale(staleKeys, event)));
      return await call(db, sql<number>`relay.refresh_set_aside(${name}, ${stale}::text::jsonb)`);
    },
  };
}

function uniqueKeys(stale: Stale[]): string[] {
  return [...new Set(stale.flatMap(({ keys }) => keys))];
}

function isConcerned({ keys, error }: Stale): boolean {
  return keys.length > 0 || error !== undefined;
}

async function refreshWhole(db: Database, name: string, from: number): Promise<number | null> {
  return await call(db, sql<number | null>`relay.refresh_whole(${name}, ${from})`);
}

/** Refreshes all keys at once. After a failure, tries event by event. */
async function refreshKeys(
  db: Database,
  name: string,
  { from, to }: Range,
  stale: Stale[],
): Promise<boolean> {
  const keys = uniqueKeys(stale);
  try {
    return await call(db, sql<boolean>`relay.refresh_keys(${name}, ${from}, ${to}, ${keys}::text[])`);
  } catch (error) {
    if (!isDatabaseError(error) || isConnectionLost(error) || isUnavailable(error) || isGivenUp(error)) {
      throw error;
    }
    return await refreshEach(db, name, { from, to }, stale);
  }
}

async function refreshEach(
  db: Database,
  name: string,
  { from, to }: Range,
  stale: Stale[],
): Promise<boolean> {
  const events = JSON.stringify(stale);
  return await call(db, sql<boolean>`relay.refresh_each(${name}, ${from}, ${to}, ${events}::text::jsonb)`);
}

async function call<Result>(db: Database, expression: RawBuilder<Result>): Promise<Result> {
  const { result } = await db.selectNoFrom(expression.as("result")).executeTakeFirstOrThrow();
  return result as Result;
}
