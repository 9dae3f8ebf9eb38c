import { sql } from "kysely";
import { type Deviation, listDeviations, remedyFor } from "../database/session.ts";
import { type Finding, type Login, ok, placeOf, problem, toSentence, warning } from "./finding.ts";

/**
 * Compares the settings of the sessions with those of the program: a pooler does not pass them on, and a dump
 * leaves behind those of a login. Looks at the locale as well.
 */
export async function checkSettings(logins: Login[]): Promise<Finding[]> {
  const findings = logins.map(async (login) => [
    ...judge(placeOf(login), await listDeviations(login.db)),
    ...await judgeLocale(login),
  ]);
  return (await Promise.all(findings)).flat();
}

/** Returns a finding for each remedy. */
function judge(place: string, deviations: Deviation[]): Finding[] {
  const remedies = [...new Set(deviations.map(remedyFor))];
  if (remedies.length === 0) return [ok(`The sessions of ${place} have the program's settings`)];
  return remedies.map((remedy) => {
    const alike = deviations.filter((deviation) => remedyFor(deviation) === remedy);
    const settings = alike.map(({ name, value }) => `${name} is ${value || "empty"}`).join(", ");
    const kind = alike.some(({ harms }) => harms) ? problem : warning;
    return kind(
      `The sessions of ${place} do not have the program's settings: ${settings}`,
      toSentence(remedy),
    );
  });
}

/**
 * Warns of a locale that knows no letters beyond ASCII. Versions and providers name locales in their own ways: asks
 * for a letter instead. The database of the queries has the searches.
 */
async function judgeLocale(login: Login): Promise<Finding[]> {
  if (login.role !== "query") return [];
  const { rows } = await sql<{ knows: boolean }>`select lower(${"\u00c4"}) = ${"\u00e4"} as knows`.execute(
    login.db,
  );
  if (rows[0]!.knows) return [];
  const what = `The locale of ${placeOf(login)} knows no letters beyond ASCII: it is C, or the like`;
  const advice =
    "Before there are data, make the database with another, such as C.UTF-8: lower and ilike, and the " +
    "index of a search, know no other letters";
  return [warning(what, advice)];
}
