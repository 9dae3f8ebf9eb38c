import postgres from "postgres";
import { poolerOf } from "./pooler.ts";
import { SESSION_SETTINGS } from "./session-settings.ts";
import { parseUrl, type Place } from "./url.ts";

type Options = postgres.Options<Record<string, postgres.PostgresType>>;

/** Opens the driver for a URL. Connections are made on demand, with the settings of every session. */
export function openDriver(url: string, { connection, ...options }: Options): postgres.Sql {
  const { connection: given, ...place } = toDriverOptions(url);
  const { application_name = "cqrs", ...more } = connection ?? {};
  return postgres({
    // Saves a round trip on every new connection. The driver needs the types only to read and write arrays.
    fetch_types: false,
    onnotice: () => {},
    ...options,
    ...place,
    connection: {
      application_name,
      ...given,
      // On direct connections only. A pooler refuses settings at the start, and would lose a later `set`
      // between two transactions: behind a pooler, the login's own settings count.
      ...poolerOf(url) === "none" && { ...SESSION_SETTINGS, ...more },
    } as Options["connection"] & object,
  }) as unknown as postgres.Sql;
}

/** The parameters for the client's side of a connection. The others are for the server. */
const FOR_CLIENT = /^(ssl(mode|rootcert|cert|key)|target_session_attrs|pooler|pgbouncer|pool_mode)$/;

/**
 * Returns what the driver needs for a URL. The driver gets no URL: its own reading differs from psql's.
 * @see docs/decisions/0019-urls.md
 */
export function toDriverOptions(url: string): Options {
  const { host, port, user, password, database, parameters } = parseUrl(url);
  const kind = parameters.target_session_attrs;
  const isSocket = host.startsWith("/");
  return {
    ...{
      // In lists: the driver looks for a port in a text, and takes the colons of an IPv6 address for a port.
      host: [host],
      port: [Number(port || 5432)],
      path: isSocket && `${host}/.s.PGSQL.${port || 5432}`,
      // With a single host, a preference means nothing.
      target_session_attrs: !/^(any|prefer-standby)$/.test(kind ?? "any") && kind,
    } as object,
    // In the place of an empty text, the driver takes the environment's, like psql.
    user,
    pass: password,
    database,
    ssl: !isSocket && toTls(host, parameters),
    connection: Object.fromEntries(Object.entries(parameters).filter(([name]) => !FOR_CLIENT.test(name))),
  };
}

/** Returns the driver's kind of TLS: none, preferred, or options for the runtime. */
function toTls(host: string, { sslmode, sslrootcert, sslcert: cert, sslkey: key }: Place["parameters"]) {
  // Without a mode, psql would try both: the program saves the round trip.
  const mode = sslmode ?? (sslrootcert ? "verify-full" : "disable");
  if (mode === "disable") return false;
  // On Cloudflare Workers the driver would wait for ever for a server without TLS.
  if (!sslrootcert && /^(allow|prefer)$/.test(mode)) return "Cloudflare" in globalThis ? false : "prefer";
  const ca = sslrootcert === "system" ? undefined : sslrootcert;
  return {
    // The driver names no host when the host is an IP address, and runtimes then expect `localhost`.
    host,
    rejectUnauthorized: mode !== "require" || sslrootcert !== undefined,
    // Only an authority of one's own vouches without the name of the host.
    ...ca && mode !== "verify-full" && { checkServerIdentity: () => undefined },
    ca,
    cert,
    key,
  };
}
