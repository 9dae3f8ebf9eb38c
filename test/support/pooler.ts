import process from "node:process";
import { type Pooler, withPooler } from "../../src/database/pooler.ts";
import type { DatabaseUrls } from "../../src/config.ts";
import { findPgBouncer, type PoolMode, startPgBouncer, throughPort } from "./pgbouncer.ts";

/** The PgBouncer between the run-time roles of test databases and the server. */
export interface TestPooler {
  port: number;
  pooler: Pooler;
}

/** The program's setting for each pool mode. Sessions allow anything; here the program prepares. */
const POOLERS: Record<PoolMode, Pooler> = {
  "session": "transaction-prepared",
  "transaction": "transaction",
  "transaction-prepared": "transaction-prepared",
};

/** Starts a PgBouncer in front of the server in the mode `TEST_POOLER`; returns undefined without a mode. */
export async function startTestPooler(adminUrl: string) {
  const mode = Object.keys(POOLERS).find((mode) => mode === process.env.TEST_POOLER) as PoolMode | undefined;
  if (!mode) return undefined;
  const binary = await findPgBouncer();
  if (!binary) throw new Error("Cannot test with TEST_POOLER: there is no PgBouncer");
  const { port, stop } = await startPgBouncer(binary, adminUrl, mode);
  return { pooler: { port, pooler: POOLERS[mode] }, stop };
}

/** Returns the URLs, with the run-time roles' URLs through the pooler. */
export function pooled(urls: DatabaseUrls, { port, pooler }: TestPooler): DatabaseUrls {
  const through = (url: string) => withPooler(throughPort(url, port), pooler);
  const { command, query, relay } = urls;
  return { ...urls, command: through(command), query: through(query), relay: through(relay) };
}
