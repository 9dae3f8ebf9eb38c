import { toStorable } from "../errors.ts";
import { reasonToWait, type RecordedEvent } from "../write/event.ts";

/** An event, and the rows made stale. Written to relay.refresh_each as JSON. */
export interface Stale {
  position: number;
  stream: string;
  version: number;
  keys: string[];
  /** The reason why no keys could be made from the event. */
  error?: string;
  /** True when a newer program knows the shape of the event: the event waits. */
  is_newer?: boolean;
}

type StaleKeys = { readonly [type: string]: ((event: RecordedEvent) => string[]) | undefined };

/** Returns the keys that an event makes stale; empty when the event does not concern the read model. Never throws. */
export function toStale(staleKeys: StaleKeys, event: RecordedEvent): Stale {
  const { position, stream, version } = event;
  const place = { position, stream, version, keys: [] };
  const keysOf = staleKeys[event.type];
  if (!keysOf) return place;
  const reason = reasonToWait(event);
  if (reason) return { ...place, error: reason, is_newer: true };
  try {
    return { ...place, keys: checkKeys(keysOf(event)) };
  } catch (error) {
    return { ...place, error: `Cannot make keys from ${event.type}: ${toStorable(error)}` };
  }
}

/** @throws {TypeError} If a key is missing, as with data of another shape: no row would be refreshed. */
function checkKeys(keys: unknown[]): string[] {
  const wrong = keys.findIndex((key) => typeof key !== "string");
  if (wrong >= 0) throw new TypeError(`${keys[wrong]} is no key`);
  return keys as string[];
}
