import type { KyselyPlugin } from "kysely";
import process from "node:process";

/** A relay's statements, found by a part of the text. A point is before, during or after a statement. */
const STATEMENTS = {
  look: "relay.look(",
  refresh: "relay.refresh_together(",
  "refresh as a whole": "relay.refresh_whole",
  "hand out": "relay.hand_out(",
  handle: "write.append(",
  settle: "relay.settle_lanes(",
  take: "relay.take_lanes(",
} as const;

export const FAULT_POINTS = [
  "before look",
  "during look",
  "after look",
  "during refresh",
  "after refresh",
  "during refresh as a whole",
  "after hand out",
  "during handle",
  "after handle",
  "during settle",
  "after settle",
  "after take",
] as const;

/** The usual length of a query: a signal within the length comes somewhere in the middle. */
const DURING_MS_MAX = 3;

/** Returns a plugin that signals this process at the n-th time of a point. A query already sent goes on. */
export function faultAt(point: string, times: number, signal: NodeJS.Signals): KyselyPlugin {
  const [moment, ...words] = point.split(" ");
  const text = STATEMENTS[words.join(" ") as keyof typeof STATEMENTS];
  const ours = new WeakSet<object>();
  let left = times;
  const strike = () => process.kill(process.pid, signal);
  return {
    transformQuery({ node, queryId }) {
      if (!JSON.stringify(node).includes(text)) return node;
      ours.add(queryId);
      if (moment === "before" && --left === 0) strike();
      if (moment === "during" && --left === 0) setTimeout(strike, DURING_MS_MAX * Math.random());
      return node;
    },
    transformResult({ result, queryId }) {
      if (moment === "after" && ours.has(queryId) && --left === 0) strike();
      return Promise.resolve(result);
    },
  };
}
