import type { DatabaseSetting } from "../config.ts";
import { DatabaseUnavailable, isConnectionLost } from "../errors.ts";

/** Advice on errors that say too little, by a part of the driver's or the server's message. */
const ADVICE: [RegExp, string][] = [
  [/before secure TLS connection/, "the server takes no TLS connections, and the URL's sslmode asks for TLS"],
  [/no encryption|SSL off/, "add sslmode=require to the URL"],
  [
    /(unable to (verify|get)|self.signed|issuer) .*certificate/,
    "name the authority's certificate in sslrootcert",
  ],
  [/CONNECTION_DESTROYED/, "the server is not of the kind in target_session_attrs"],
  [
    /startup parameter/,
    "this is a pooler: set DATABASE_POOLER=transaction, or take the parameter out of the URL",
  ],
];

/** Returns advice on a database out of reach, or undefined when the message says enough. */
export function adviceOn(message: string): string | undefined {
  return ADVICE.find(([part]) => part.test(message))?.[1];
}

/** Returns the message of an error of a connection, with the name of the setting and advice. */
export function describeUnreached(error: Error, setting: DatabaseSetting, url: string): string {
  const host = decodeURIComponent(new URL(url).host);
  const advice = adviceOn(error.message);
  return `Cannot reach the database of ${setting} at ${host}: ${error.message}${advice ? `; ${advice}` : ""}`;
}

/** Returns the error or, if a database was out of reach, an error that names the setting and has advice. */
export function explainUnreached(error: unknown, setting: DatabaseSetting): unknown {
  if (!isUnreached(error)) return error;
  const parts = [error.message, adviceOn(error.message) ?? [], `look at ${setting}`].flat();
  return new Error(parts.join("; "), { cause: error });
}

function isUnreached(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return error instanceof DatabaseUnavailable || isConnectionLost(error) || isUnreached(error.cause);
}
