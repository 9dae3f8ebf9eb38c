import process from "node:process";
import { type Pooler, withPooler } from "../../src/database/pooler.ts";
import type { DatabaseUrls } from "../../src/config.ts";
import { findPgBouncer, type PoolMode, startPgBouncer, throughPort } from "./pgbouncer.ts";

/** The PgBouncer that the run-time roles of test databases connect through. */
export interface TestPooler {
  port: number;
  pooler: Pooler;
}

/** What each way of pooling allows the program: a session could do anything, here it is asked to prepare. */
const POOLERS: Record<PoolMode, Pooler> = {
  "session": "transaction-prepared",
  "transaction": "transaction",
  "transaction-prepared": "transaction-prepared",
};

/** A PgBouncer in front of the server, if `TEST_POOLER` says so; undefined if it does not. */
export async function startTestPooler(adminUrl: string) {
  const mode = Object.keys(POOLERS).find((mode) => mode === process.env.TEST_POOLER) as PoolMode | undefined;
  if (!mode) return undefined;
  const binary = await findPgBouncer();
  if (!binary) throw new Error("Cannot test with TEST_POOLER: there is no PgBouncer");
  const { port, stop } = await startPgBouncer(binary, adminUrl, mode);
  return { pooler: { port, pooler: POOLERS[mode] }, stop };
}

/** The URLs, with those of the run-time roles through the pooler. */
export function pooled(urls: DatabaseUrls, { port, pooler }: TestPooler): DatabaseUrls {
  const through = (url: string) => withPooler(throughPort(url, port), pooler);
  const { command, query, relay } = urls;
  return { ...urls, command: through(command), query: through(query), relay: through(relay) };
}
