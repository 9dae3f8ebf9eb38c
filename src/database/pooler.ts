/**
 * The poolers between the program and PostgreSQL. `none`: no pooler of transactions, each connection is a
 * session of its own. `transaction`: each transaction may meet another session. `transaction-prepared`: the
 * same, but each session knows the client's prepared statements (PgBouncer from 1.21 on with
 * `max_prepared_statements`, Hyperdrive).
 */
export const POOLERS = ["none", "transaction", "transaction-prepared"] as const;

export type Pooler = typeof POOLERS[number];

/** The URL parameter that names the pooler. A named pooler goes before a recognized pooler. */
const POOLER = "pooler";

/** Parameters for other clients or for this program: the driver would send them, and the server refuse. */
const NOT_FOR_SERVER = [POOLER, "pgbouncer", "connection_limit", "pool_timeout", "channel_binding"];

/** Returns the pooler named in the URL or, without a name, recognizes the URLs of well-known poolers. */
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

/** Returns the URL with the pooler named in a parameter. */
export function withPooler(url: string, pooler: Pooler): string {
  const said = new URL(url);
  said.searchParams.set(POOLER, pooler);
  return said.href;
}

/** Returns the URL for the driver, without the parameters that the server would refuse. */
export function toDriverUrl(url: string): string {
  const kept = new URL(url);
  for (const name of NOT_FOR_SERVER) kept.searchParams.delete(name);
  return kept.href;
}
