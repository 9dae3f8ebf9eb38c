import { sql } from "kysely";
import { expect } from "vitest";
import type { DatabaseUrls } from "../../src/config.ts";
import { examine } from "../../src/doctor/doctor.ts";
import type { Finding } from "../../src/doctor/finding.ts";
import { limitsOf } from "../../src/process/limits.ts";
import { readMigrations } from "../../src/process/migrations.ts";
import { app } from "../jars/app.ts";
import type { TestDatabase } from "../support/database.ts";

/** Returns the doctor's findings except "ok". `others` replaces some of the URLs. */
export async function ailments(test: TestDatabase, others: Partial<DatabaseUrls> = {}): Promise<Finding[]> {
  const findings = await examine({ ...test.urls, ...others }, limitsOf(app), await readMigrations());
  return findings.filter(({ level }) => level !== "ok");
}

/** Returns the findings between two statements of the owner, `breaking` and `mending`. */
export async function ailmentsAfter(
  test: TestDatabase,
  breaking: string,
  mending: string,
): Promise<Finding[]> {
  await sql.raw(breaking).execute(test.owner);
  try {
    return await ailments(test);
  } finally {
    await sql.raw(mending).execute(test.owner);
  }
}

/** Returns a matcher for a finding's level, its text (a part or a pattern) and a part of the advice. */
export function saying(level: Finding["level"], what: string | RegExp, advice: string): unknown {
  const found = typeof what === "string" ? expect.stringContaining(what) : expect.stringMatching(what);
  return { level, what: found, advice: expect.stringContaining(advice) };
}
