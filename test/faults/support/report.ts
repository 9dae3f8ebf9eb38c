import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import type { TestProject } from "vitest/node";
import type { Random } from "../../support/random.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The folder for the rows of the report. */
    faultReports: string;
  }
}

/** The number of errors of each kind after a fault. Without errors, all are 0 except `events`. */
export interface Verdict {
  /** The number of events in the log. */
  events: number;
  missed: number;
  twice: number;
  outOfOrder: number;
}

const HEADER = ["fault", "events", "missed", "twice", "out of order", "seed", "remark"];

/** Prints the row of a fault, and keeps the row for the table at the end of the run. */
export async function report(
  fault: string,
  { events, missed, twice, outOfOrder }: Verdict,
  { seed }: { seed: Random["seed"] | "none" },
  remark = "",
): Promise<void> {
  const row = toRow([fault, events, missed, twice, outOfOrder, seed, remark]);
  console.log(row);
  await writeFile(join(inject("faultReports"), `${fault}-${randomUUID()}`), row);
}

/** Creates the folder for the rows before the run, and prints the table after the run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "cqrs-faults-"));
  project.provide("faultReports", folder);
  return async () => {
    const files = (await readdir(folder)).toSorted();
    const rows = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
    await rm(folder, { recursive: true });
    if (rows.length === 0) return;
    console.log(["", toRow(HEADER), toRow(HEADER.map(() => "---")), ...rows, ""].join("\n"));
  };
}

function toRow(cells: (string | number)[]): string {
  return `| ${cells.join(" | ")} |`;
}
