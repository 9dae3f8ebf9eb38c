/**
 * Tables of URLs for the program and for psql. `PORT`, `FOLDER` (the server's folder, with the socket) and
 * `SOCKET` (the same, encoded) stand for the server's own. `Qzx` and `Wvk` are parts of secrets.
 */

/** Both connect, to the same place: a URL of each kind. */
export const TAKEN_BY_BOTH = [
  "postgres://127.0.0.1:PORT/postgres?user=postgres",
  "postgres://nobody@nowhere/none?user=postgres&host=127.0.0.1&port=PORT&dbname=postgres",
  "postgres://postgres@[::1]:PORT/postgres",
  "postgres://postgres@SOCKET:PORT/postgres",
  "postgres://postgres@/postgres?host=FOLDER&port=PORT&sslmode=require",
  "postgres://me%40shop@127.0.0.1:PORT/50%2525",
  "postgres://sharp:Qzx#Wvk@127.0.0.1:PORT/my%20shop",
  toUrl(
    "application_name=shop&connect_timeout=5&keepalives_idle=30&gssencmode=disable&options=-c%20geqo%3Doff",
  ),
];

/** More that both take. */
export const TAKEN_BY_BOTH_TOO = [
  "postgres://postgres@127.0.0.1:PORT/postgres",
  "postgresql://postgres@localhost:PORT/postgres",
  "postgres://postgres@127.0.0.1:PORT",
  "postgres:///postgres?host=%3A%3A1&port=PORT&user=postgres",
  "postgres://postgres@/postgres?host=FOLDER&port=PORT",
  "postgres:///postgres?host=SOCKET&port=PORT&user=postgres",
  "postgres://postgres@127.0.0.1:PORT/my%20shop",
  "postgres://postgres@127.0.0.1:PORT/caf%C3%A9",
  "postgres://sharp:Qzx%23Wvk@127.0.0.1:PORT/postgres",
  "postgres://question:Qzx?[:]Wvk@127.0.0.1:PORT/postgres",
  "postgres://percent:Qzx%25Wvk@127.0.0.1:PORT/postgres",
  "postgres://sharp@127.0.0.1:PORT/postgres?password=Qzx#Wvk",
  ...[
    "sslmode=disable",
    "sslmode=prefer",
    "sslmode=allow",
    "keepalives=1&tcp_user_timeout=5000",
    "channel_binding=prefer&client_encoding=LATIN1&fallback_application_name=shop",
    "target_session_attrs=any",
    "target_session_attrs=read-write",
    "target_session_attrs=prefer-standby",
  ].map(toUrl),
];

/** Parameters for other clients: the program leaves them out, and psql refuses. */
export const FOR_OTHER_CLIENTS = [
  "schema=public&connection_limit=5&pool_timeout=10&socket_timeout=3&statement_cache_size=0",
  "pgbouncer=true",
  "pool_mode=session",
  "uselibpqcompat=true",
  "supa=base-pooler.x&workaround=supabase-pooler.vercel",
  "serverVersion=16&charset=utf8",
].map(toUrl);

/** The program stops without asking a server; a part of the line says why. */
export const REFUSED_AT_ONCE: [string, string][] = [
  ["postgres://postgres@127.0.0.1:PORT,127.0.0.1:1/postgres", "names several hosts"],
  ["postgres://postgres@[::1]:PORT,[::1]:1/postgres", "names several hosts"],
  ["postgres://postgres@/postgres?host=127.0.0.1,localhost&port=PORT", "names several hosts"],
  ["postgres:///postgres", "names no host"],
  ["postgres://sharp:Qzx%Wvk@127.0.0.1:PORT/postgres", "write % as %25"],
  ["postgres://sharp:Qzx%00Wvk@127.0.0.1:PORT/postgres", "write % as %25"],
  ["postgres://sharp:Qzx%0023Wvk@127.0.0.1:PORT/postgres", "write % as %25"],
  ["postgres://sharp:Qzx@Wvk@127.0.0.1:PORT/postgres", "write @ as %40"],
  ["postgres://sharp:Qzx/Wvk@127.0.0.1:PORT/postgres", "write @ as %40 and / as %2F"],
  ["postgres://sharp:1234/Qzx?Wvk=1@127.0.0.1:PORT/postgres", "write @ as %40 and / as %2F"],
  ["postgres://sharp:Qzx", "port"],
  ["postgres://postgres@127.0.0.1:99999/postgres", "port"],
  ["postgres://postgres@[::1/postgres", "port"],
  ["mysql://root:Qzx@127.0.0.1/postgres", "is not a postgres:// URL"],
  ["127.0.0.1:PORT/postgres", "is not a postgres:// URL"],
  ...[
    ["sslmode=no-verify", "has an unknown parameter or value: sslmode"],
    ["database=template1", "has an unknown parameter or value: database"],
    ["sslpassword=Qzx", "has an unknown parameter or value: sslpassword"],
    ["password=Qzx=", "with two"],
    ["target_session_attrs=master", "has an unknown parameter or value: target_session_attrs"],
    ["connect_timeout=5&Qzx", "without ="],
    ["options=-c geqo=off", "with two"],
    ["sslrootcert=FOLDER/none.crt&sslmode=verify-full", "none.crt cannot be read: ENOENT"],
    ["sslrootcert=FOLDER/log&sslmode=verify-full", "neither a certificate nor a key"],
  ].map(([parameters, why]): [string, string] => [toUrl(parameters!), why!]),
];

/** The server refuses, or is not as the URL asks; a part of the line says why. */
export const REFUSED_BY_SERVER: [string, string][] = [
  ["postgres://sharp:Qzx%23wrong@127.0.0.1:PORT/postgres", "password authentication failed"],
  ...[
    ["sslmod=require", "sslmod"],
    ["ssl=false", "ssl"],
    ["sslmode=require", "takes no TLS"],
    ["ssl=true", "takes no TLS"],
    ["sslmode=verify-full", "takes no TLS"],
    ["gssencmode=require", "gssencmode"],
    ["hostaddr=127.0.0.1", "hostaddr"],
    ["service=shop", "service"],
    ["sslcrl=FOLDER/none.crl", "sslcrl"],
    ["options=endpoint%3Dep-cool-1", "endpoint"],
    ["target_session_attrs=standby", "the kind in target_session_attrs"],
  ].map(([parameters, why]): [string, string] => [toUrl(parameters!), why!]),
];

function toUrl(parameters: string): string {
  return `postgres://postgres@127.0.0.1:PORT/postgres?${parameters}`;
}
