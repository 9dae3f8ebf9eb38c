import { join } from "node:path";
import type { Command } from "../../src/write/command.ts";
import { listFiles, ROOT } from "./imports.ts";

// deno-lint-ignore no-explicit-any
export type AnyCommand = Command<any, any, any, any>;

/** A command, and the place of the export: `file` is below the project's root. */
export interface ExportedCommand {
  file: string;
  name: string;
  command: AnyCommand;
}

/** Lists the modules of `src/features`; none when there is no such folder. */
export async function listFeatureFiles(): Promise<string[]> {
  return (await listFiles("src")).filter((file) => file.startsWith("features/")).map((file) => `src/${file}`);
}

/** Lists the commands exported by modules, given by their paths below the project's root. */
export async function listCommands(files: string[]): Promise<ExportedCommand[]> {
  const found = await Promise.all(files.map(async (file) => {
    const exported = Object.entries(await import(join(ROOT, file)) as Record<string, unknown>);
    return exported.flatMap(([name, command]) => isCommand(command) ? [{ file, name, command }] : []);
  }));
  return found.flat();
}

function isCommand(value: unknown): value is AnyCommand {
  return typeof value === "object" && value !== null && "aggregate" in value && "decide" in value;
}
