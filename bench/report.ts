import { mkdir, writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Figure } from "./figure.ts";

const RESULTS = new URL("results/", import.meta.url);

/** Returns the figures as a Markdown table. */
export function toTable(figures: Figure[]): string {
  const rows = figures.map(({ what, measured, aim }) => [
    what,
    measured,
    aim?.text ?? "",
    aim ? aim.isMet ? "met" : "**missed**" : "",
  ]);
  const lines = [["what", "measured", "aim", ""], ["---", "---", "---", "---"], ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Returns the origin of the figures: figures compare only within a machine, and without other work. */
export function describeMachine() {
  const [processor] = cpus();
  return {
    runtime: "Deno" in globalThis ? "Deno" : `Node ${process.versions.node}`,
    processors: `${cpus().length} × ${processor?.model ?? "unknown"}`,
    busyBefore: `load ${loadavg()[0]!.toFixed(1)} before the start`,
  };
}

/** Writes the figures to `bench/results`; returns the path of the file. */
export async function saveResults(results: object, at: Date): Promise<string> {
  const file = new URL(`${at.toISOString().replace(/[:.]/g, "-")}.json`, RESULTS);
  await mkdir(RESULTS, { recursive: true });
  await writeFile(file, JSON.stringify(results, null, 2) + "\n");
  return fileURLToPath(file);
}
