import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./imports.ts";

/** The lists of optional parts, as paths below `src`. */
export const LISTS = ["rooms.ts", "process/rooms.ts"];

/** Lists the rooms named in a list. */
export async function listRooms(list: string): Promise<string[]> {
  const text = await readFile(join(ROOT, "src", list), "utf8");
  return [...text.matchAll(/^export .* from "\.\.?\/([^/]+)\//gm)].map(([, room]) => room!);
}

/** Lists the platforms: the folders with an entry. */
export async function listPlatforms(): Promise<string[]> {
  return (await readdir(join(ROOT, "src"))).filter((name) => existsSync(join(ROOT, "src", name, "entry.ts")));
}
