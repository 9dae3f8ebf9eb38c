import { sql } from "kysely";
import { expect } from "vitest";
import type { DatabaseUrls } from "../../src/config.ts";
import { examine } from "../../src/process/doctor/doctor.ts";
import type { Finding } from "../../src/process/doctor/finding.ts";
import type { TestDatabase } from "./database.ts";

/** What the doctor says that is not ok; some of the URLs may be others. */
export async function ailments(test: TestDatabase, others: Partial<DatabaseUrls> = {}): Promise<Finding[]> {
  const findings = await examine({ ...test.urls, ...others });
  return findings.filter(({ level }) => level !== "ok");
}

/** What the doctor says between two statements of the owner: one that breaks something, and one that mends it. */
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

/** A finding that says so much, with advice that says so much. */
export function saying(level: Finding["level"], what: string, advice: string): unknown {
  return { level, what: expect.stringContaining(what), advice: expect.stringContaining(advice) };
}
