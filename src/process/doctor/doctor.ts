import process from "node:process";
import { type DatabaseUrls, readSettings } from "../../config.ts";
import { openDatabase } from "../../database/database.ts";
import { useDatabase } from "../use-database.ts";
import { checkClocks } from "./clock.ts";
import { checkConnections } from "./connections.ts";
import { type Check, type Finding, type Login, problem, ROLES } from "./finding.ts";
import { checkIndexes } from "./indexes.ts";
import { checkListening } from "./listening.ts";
import { checkMigrations } from "./migrations.ts";
import { reach } from "./reach.ts";
import { checkRights } from "./rights.ts";
import { checkSessions } from "./sessions.ts";

const ASK_MS_MAX = 10_000;

/** Answers more than one line each, in this order. */
const checks: Record<string, Check> = {
  migrations: checkMigrations,
  rights: checkRights,
  sessions: checkSessions,
  notifications: checkListening,
  indexes: checkIndexes,
  clocks: checkClocks,
  connections: checkConnections,
};

/** `doctor`: looks at a deployment with the settings it starts with. 1 if anything would not work. */
export async function doctor(): Promise<number> {
  const database = await useDatabase(readSettings(process.env));
  try {
    const findings = await examine(database.urls);
    for (const finding of findings) console.log(toLine(finding));
    const problems = findings.filter(({ level }) => level === "problem").length;
    const warnings = findings.filter(({ level }) => level === "warning").length;
    console.log(`${problems} problems, ${warnings} warnings`);
    return problems > 0 ? 1 : 0;
  } finally {
    await database.stop();
  }
}

/** Runs every check for those roles that can log in. */
export async function examine(urls: DatabaseUrls): Promise<Finding[]> {
  const logins = [...ROLES, "replica" as const, "direct" as const].flatMap((role): Login[] => {
    const url = urls[role];
    const options = { max: 1, deadlineMs: ASK_MS_MAX, applicationName: "cqrs doctor" };
    return url === undefined ? [] : [{ role, url, db: openDatabase(url, options) }];
  });
  try {
    const reached = await Promise.all(logins.map(async (login) => ({ login, finding: await reach(login) })));
    const able = reached.filter(({ finding }) => finding.level === "ok").map(({ login }) => login);
    const findings = reached.map(({ finding }) => finding);
    for (const [name, check] of Object.entries(checks)) {
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
