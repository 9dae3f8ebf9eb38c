import { formatUrl, parseUrl } from "./url.ts";

/**
 * The poolers between the program and PostgreSQL. `none`: no pooler of transactions, each connection is a
 * session of its own. `transaction`: each transaction may meet another session. `transaction-prepared`: the
 * same, but each session knows the client's prepared statements (PgBouncer from 1.21 on with
 * `max_prepared_statements`, Hyperdrive).
 */
export const POOLERS = ["none", "transaction", "transaction-prepared"] as const;

export type Pooler = typeof POOLERS[number];

/** Returns the pooler named in the URL or, without a name, recognizes the URLs of well-known poolers. */
export function poolerOf(url: string): Pooler {
  const { host, port, parameters } = parseUrl(url);
  const said = POOLERS.find((pooler) => pooler === parameters.pooler);
  if (said) return said;
  if (host.endsWith(".hyperdrive.local")) return "transaction-prepared";
  const isSupabase = /\.supabase\.com?$/.test(host) && port === "6543";
  const isNeon = host.includes("-pooler.");
  const isPgBouncer = port === "6432" || parameters.pgbouncer === "true";
  const pools = isSupabase || isNeon || isPgBouncer || parameters.pool_mode === "transaction";
  return pools ? "transaction" : "none";
}

/** Returns the URL with the pooler named in a parameter. A named pooler goes before a recognized pooler. */
export function withPooler(url: string, pooler: Pooler): string {
  const place = parseUrl(url);
  return formatUrl({ ...place, parameters: { ...place.parameters, pooler } });
}
