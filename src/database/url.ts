/** The parts of a PostgreSQL URL, decoded. An empty text stands for a missing part. */
export interface Place {
  /** A name, an IP address, or the folder of a socket. */
  host: string;
  port: string;
  user: string;
  password: string;
  database: string;
  /** The other parameters, none empty, without those for other clients. */
  parameters: Record<string, string>;
}

/** The grammar of psql: a user and a password may have any signs but `@` and `/`, and a user no `:`. */
const GRAMMAR =
  /^postgres(?:ql)?:\/\/(?:([^@/:]*)(?::([^@/]*))?@)?((?:\[([^\]/]*)\]|([^/?:]*))(?::([^/?]*))?(?:\/([^?]*))?(?:\?(.*))?)$/s;

/** Parameters for other clients, and of psql for what the program does in its own way. A server knows none. */
const FOR_OTHERS = new RegExp(
  "^((connect|socket|tcp_user)_timeout|keepalives\\w*|channel_binding|gssencmode(?!=req)|sslsni|client_encoding|" +
    "fallback_application_name|schema|connection_limit|pool|pool_(?!mode)\\w+|uselibpqcompat|" +
    "statement_cache_size|supa|workaround|serverVersion|charset)(=|$)",
);

const NEVER = /^$/;

/** The values of parameters that are not to be mistaken. */
const VALUES: Record<string, RegExp> = {
  sslmode: /^(disable|allow|prefer|require|verify-(ca|full))$/,
  target_session_attrs: /^(any|(prefer-)?standby|read-(write|only)|primary)$/,
  // No value is right: the server would take the first for the name of the database, and hear a secret.
  database: NEVER,
  sslpassword: NEVER,
};

/** The parameters that name a file. The text of the file may stand in the place of its name. */
const FILES = ["sslrootcert", "sslcert", "sslkey"];

/**
 * Reads a URL as psql does: also a URL that no browser would take, with `#` in the password, or without a host
 * before the parameter `host`. The parameters `host`, `port`, `user`, `password` and `dbname` replace the parts.
 * Unknown parameters are left for the server to judge.
 * @throws {Error} If psql would not take the URL, or the program cannot do as the URL says. The message goes on
 * after the name of a setting, and has no part of a secret.
 */
export function parseUrl(url: string): Place {
  const [, user, password, rest, address, name, port, dbname, query] = GRAMMAR.exec(url.trim()) ??
    refuse("is not a postgres:// URL");
  // Part of a password, perhaps: not to be shown as a host or a database.
  if (rest!.includes("@")) refuse("has an @ after its host: in a login, write @ as %40 and / as %2F");
  const parts = Object.entries({ user, password, host: address ?? name, port, dbname });
  const pairs = [...parts, ...toPairs(query)].map((pair) => pair.map((text = "") => decode(text)));
  const { user: by, password: secret, host, port: on, dbname: database, ...parameters } = Object.fromEntries(
    pairs,
  ) as Record<string, string>;
  const place = { user: by!, password: secret!, host: host!, port: on!, database: database!, parameters };
  check(place);
  return place;
}

/** Splits the parameters, still encoded. */
function toPairs(query = ""): string[][] {
  const pairs = query.split("&").filter((pair) => pair && !FOR_OTHERS.test(pair) && !/^[^=]*=$/.test(pair))
    // Java's way, which psql takes, too.
    .map((pair) => pair.replace(/^ssl=true$/, "sslmode=require").split("="));
  return pairs.every(({ length }) => length === 2) ? pairs : refuse("has a parameter without =, or with two");
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("%00", "%%"));
  } catch {
    return refuse("has a % that stands for no sign: write % as %25");
  }
}

function check({ host, port, parameters }: Place): void {
  if (!host) refuse("names no host");
  if ((host + port).includes(",")) {
    refuse("names several hosts: give one");
  }
  if (/\D/.test(port) || Number(port) > 65535) refuse("has a port that is not a number");
  for (const [name, known] of Object.entries(VALUES)) {
    if (name in parameters && !known.test(parameters[name]!)) {
      refuse(`has an unknown parameter or value: ${name}`);
    }
  }
}

/** Ends with what comes after the name of a setting. */
function refuse(why: string): never {
  throw new Error(why);
}

/** Returns a URL that every reader takes, with all parts encoded. */
export function formatUrl({ host, port, user, password, database, parameters }: Place): string {
  const encode = encodeURIComponent;
  const login = user + password && `${encode(user)}${password && `:${encode(password)}`}@`;
  const at = /^[\da-f:.]*:[\da-f:.]*$/i.test(host) ? `[${host}]` : encode(host);
  const pairs = Object.entries(parameters).map((pair) => pair.map(encode).join("="));
  return `postgres://${login}${at}${port && `:${port}`}/${encode(database)}${
    pairs.length ? `?${pairs.join("&")}` : ""
  }`;
}

/** Returns the first parameter with the name of a file, not yet the text. */
export function fileIn({ parameters }: Place): string | undefined {
  return FILES.find((name) => name in parameters && !/^system$|-----BEGIN /.test(parameters[name]!));
}
