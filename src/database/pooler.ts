/**
 * What is between the program and PostgreSQL. `none`: nothing that matters, each connection is a session of its own.
 * `transaction`: each transaction may meet another session. `transaction-prepared`: the same, but statements that a client
 * has prepared are there in each (PgBouncer from 1.21 on with `max_prepared_statements`, Hyperdrive).
 */
export const POOLERS = ["none", "transaction", "transaction-prepared"] as const;

export type Pooler = typeof POOLERS[number];

/** A parameter of URLs that says it, and goes before what is recognized. */
const POOLER = "pooler";

/** Meant for other clients, or for this program; the driver would send them, and the server refuse them. */
const NOT_FOR_SERVER = [POOLER, "pgbouncer", "connection_limit", "pool_timeout", "channel_binding"];

/** Recognizes the URLs of well-known poolers, unless the URL itself says which one it is. */
export function poolerOf(url: string): Pooler {
  const { hostname, port, searchParams } = new URL(url);
  const said = POOLERS.find((pooler) => pooler === searchParams.get(POOLER));
  if (said) return said;
  if (hostname.endsWith(".hyperdrive.local")) return "transaction-prepared";
  const isSupabase = /\.supabase\.com?$/.test(hostname) && port === "6543";
  const isNeon = hostname.includes("-pooler.");
  const isPgBouncer = port === "6432" || searchParams.get("pgbouncer") === "true";
  return isSupabase || isNeon || isPgBouncer ? "transaction" : "none";
}

/** The URL, with what is behind it said in it. */
export function withPooler(url: string, pooler: Pooler): string {
  const said = new URL(url);
  said.searchParams.set(POOLER, pooler);
  return said.href;
}

/** The URL as the driver takes it: without what is not for the server. */
export function toDriverUrl(url: string): string {
  const kept = new URL(url);
  for (const name of NOT_FOR_SERVER) kept.searchParams.delete(name);
  return kept.href;
}
