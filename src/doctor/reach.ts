import { sql } from "kysely";
import { isDatabaseError } from "../errors.ts";
import { adviceOn } from "../process/unreached.ts";
import { type Finding, type Login, ok, placeOf, problem, toSentence } from "./finding.ts";

const OLDEST_VERSION = 15;

/** Advice on a refused connection, by the server's error code. */
const ADVICE: Record<string, string> = {
  "28P01":
    'Give the URL the right password. "npm run migrate" sets those of the three roles to what their URLs say',
  "28000": "Look at the server's pg_hba.conf, and whether the URL needs sslmode=require",
  "3D000": "Create the database, or correct the name in the URL",
  "42501": 'Run "npm run migrate" as the owner, or give the role the right to connect',
  "53300": "Raise max_connections, or stop what takes the connections",
};

/** Tries to log in, and checks the version of the server. The other checks need both. */
export async function reach(login: Login): Promise<Finding> {
  const place = placeOf(login);
  try {
    const { rows } = await sql<{ version: string; number: string }>`
      select current_setting('server_version') as version, current_setting('server_version_num') as number`
      .execute(login.db);
    return judgeVersion(place, rows[0]!);
  } catch (error) {
    const { message } = error as Error;
    return problem(`Cannot reach ${place}: ${message}`, advise(error as Error));
  }
}

function advise({ message, cause }: Error): string {
  const code = isDatabaseError(cause) ? cause.code : "";
  const advice = adviceOn(message) ?? ADVICE[code] ??
    "look at the host and port of the URL, and whether the server runs";
  return toSentence(advice);
}

/** Judges the version of a server: 18.4, for example, has the number 180004. */
export function judgeVersion(
  place: string,
  { version, number }: { version: string; number: string },
): Finding {
  if (Number(number) >= OLDEST_VERSION * 10_000) return ok(`Reached ${place}: PostgreSQL ${version}`);
  const what = `The server of ${place} is too old: PostgreSQL ${version}`;
  return problem(what, `Update it to ${OLDEST_VERSION} or newer`);
}
