import type { DatabaseUrls } from "../config.ts";
import { openDatabase } from "../database/database.ts";
import type { Migrations } from "../migrate/migrations.ts";
import type { Surroundings } from "../surroundings.ts";
import { checkClocks } from "./clock.ts";
import { checkConnections, mayOpen } from "./connections.ts";
import { type Check, type Finding, type Login, problem, ROLES } from "./finding.ts";
import { checkIndexes } from "./indexes.ts";
import { checkLimits } from "./limits.ts";
import { checkListening } from "./listening.ts";
import { checkMigrations } from "./migrations.ts";
import { checkOwners } from "./owners.ts";
import { reach } from "./reach.ts";
import { checkRights } from "./rights.ts";
import { checkSessions } from "./sessions.ts";
import { checkSettings } from "./settings.ts";
import { checkTls } from "./tls.ts";

type Limits = Surroundings["limits"];

/** The files of the program's migrations. */
type Files = Pick<Migrations, "numbered">;

const ASK_MS_MAX = 10_000;

/** The checks, in the order of the printed lines. */
const checksFor = (limits: Limits, { numbered }: Files): Record<string, Check> => ({
  migrations: (logins) => checkMigrations(logins, numbered),
  owners: checkOwners,
  rights: checkRights,
  limits: checkLimits,
  settings: checkSettings,
  encryption: checkTls,
  sessions: checkSessions,
  notifications: checkListening,
  indexes: checkIndexes,
  clocks: checkClocks,
  connections: (logins) => checkConnections(logins, mayOpen(limits)),
});

/**
 * Checks a deployment, for a process with pools of the given limits, and prints a line for each finding.
 * Returns 1 after a problem, else 0. @see docs/doctor.md
 */
export async function doctor(urls: DatabaseUrls, limits: Limits, files: Files): Promise<number> {
  const findings = await examine(urls, limits, files);
  for (const finding of findings) console.log(toLine(finding));
  const problems = findings.filter(({ level }) => level === "problem").length;
  const warnings = findings.filter(({ level }) => level === "warning").length;
  console.log(`${problems} problems, ${warnings} warnings`);
  return problems > 0 ? 1 : 0;
}

/** Tries every login, and runs the checks with the working logins. A check that fails becomes a problem. */
export async function examine(urls: DatabaseUrls, limits: Limits, files: Files): Promise<Finding[]> {
  const logins = [...ROLES, "replica" as const, "direct" as const].flatMap((role): Login[] => {
    const url = urls[role];
    const options = { max: 1, deadlineMs: ASK_MS_MAX, applicationName: "cqrs doctor" };
    return url === undefined ? [] : [{ role, url, db: openDatabase(url, options) }];
  });
  try {
    const reached = await Promise.all(logins.map(async (login) => ({ login, finding: await reach(login) })));
    const able = reached.filter(({ finding }) => finding.level === "ok").map(({ login }) => login);
    const findings = reached.map(({ finding }) => finding);
    for (const [name, check] of Object.entries(checksFor(limits, files))) {
      findings.push(
        ...await check(able).catch((error: Error) => [
          problem(`Cannot check the ${name}: ${error.message}`, "Look at what the server's log says"),
        ]),
      );
    }
    return findings;
  } finally {
    await Promise.all(logins.map(({ db }) => db.destroy()));
  }
}

function toLine({ level, what, advice }: Finding): string {
  const line = `${level.padEnd(8)} ${what}`;
  return advice ? `${line}\n${" ".repeat(9)}${advice}` : line;
}
