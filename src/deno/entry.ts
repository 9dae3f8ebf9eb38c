import process from "node:process";
import { app } from "../app.ts";
import { createEdge } from "../edge/edge.ts";
import { pages } from "../process/pages.ts";

/** Exists only with `--unstable-cron`, and on Deno Deploy. */
type Cron = (name: string, schedule: string, run: () => Promise<unknown>) => Promise<void>;
const { cron } = (globalThis as unknown as { Deno: { cron?: Cron } }).Deno;

const edge = createEdge({ app, variables: process.env, keepsConnections: true, pages });
if (process.env.RELAY !== "off") void cron?.("relay", "* * * * *", edge.drain);

/** The entry of `deno serve` and Deno Deploy for each request. The process lives on by itself. */
export default { fetch: (request: Request) => edge.fetch(request, () => {}) };
