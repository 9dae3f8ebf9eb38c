import type { HandlerSubscription } from "../subscription.ts";
import type { Handler } from "./handler.ts";

/**
 * Returns the subscription of a handler. Every event is handled at least once, the events of a stream in
 * order. The checkpoint moves when the relay hands out events; the open work is in lanes.
 * @see migrations/0006_lanes.sql
 * @see docs/decisions/0009-lanes.md
 */
export function subscribeHandler(handler: Handler): HandlerSubscription {
  return { name: handler.name, kind: handler.kind, handler };
}
