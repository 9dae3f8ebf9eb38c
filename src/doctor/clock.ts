import { sql } from "kysely";
import { type Finding, type Login, ok, placeOf, warning } from "./finding.ts";

const DIFFERENCE_MS_MAX = 1_000;

/** Compares the machine's clock with each database's. Warns from a second on, beyond half the round trip. */
export async function checkClocks(logins: Login[], now = Date.now): Promise<Finding[]> {
  return await Promise.all(logins.map((login) => check(login, now)));
}

async function check(login: Login, now: () => number): Promise<Finding> {
  const before = now();
  const { rows } = await sql<{ ms: number }>`select extract(epoch from clock_timestamp())::float * 1000 as ms`
    .execute(login.db);
  const after = now();
  const ahead = (before + after) / 2 - rows[0]!.ms;
  const certain = Math.abs(ahead) - (after - before) / 2;
  const place = placeOf(login);
  if (certain < DIFFERENCE_MS_MAX) return ok(`The clocks of this machine and of ${place} agree`);
  const seconds = (Math.abs(ahead) / 1_000).toFixed(1);
  const what = `The clock of this machine is ${seconds} s ${
    ahead > 0 ? "ahead of" : "behind"
  } that of ${place}`;
  return warning(what, "Let both follow a time server (NTP): times in answers and logs cannot be compared");
}
