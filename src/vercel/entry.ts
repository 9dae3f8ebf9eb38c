import process from "node:process";
import { app } from "../app.ts";
import { createEdge, type Defer } from "../edge/edge.ts";
import { pages } from "../process/pages.ts";

const edge = createEdge({ app, variables: process.env, keepsConnections: true, pages });

/** The place of the request's context on Vercel, also read by `@vercel/functions`. */
type RequestContext = { get(): { waitUntil?: Defer } | undefined };
const CONTEXT = Symbol.for("@vercel/request-context");

const defer: Defer = (work) => {
  const { [CONTEXT]: context } = globalThis as { [CONTEXT]?: RequestContext };
  context?.get()?.waitUntil?.(work);
};

/** True for Vercel's cron, which can only GET. Its `CRON_SECRET` has to be the same as `OPS_TOKEN`. */
function isCron({ method, url }: Request): boolean {
  return method === "GET" && new URL(url).pathname === "/ops/relay/drain";
}

/** The entry of Vercel for each request. */
export default {
  fetch: (request: Request) =>
    edge.fetch(isCron(request) ? new Request(request, { method: "POST" }) : request, defer),
};
