import { readdir, readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** An import between two files of `src`, as paths below `src`. */
export interface Import {
  from: string;
  to: string;
}

/** Lists the TypeScript files of a folder, as paths below the folder. */
export async function listFiles(folder: string): Promise<string[]> {
  const files = await readdir(join(ROOT, folder), { recursive: true });
  return files.filter((file) => file.endsWith(".ts")).map((file) => file.replaceAll("\\", "/"));
}

/** Returns the part of a file in src/: the first folder, or the file name without `.ts`. */
export function partOf(file: string): string {
  return file.split("/")[0]!.replace(/\.ts$/, "");
}

/** Lists the imports between the files of `src`. */
export async function listImports(): Promise<Import[]> {
  const imports = await Promise.all((await listFiles("src")).map(async (from) => {
    const text = await readFile(join(ROOT, "src", from), "utf8");
    return [...text.matchAll(/from "(\.[^"]+)"/g)].map(([, target]) => ({
      from,
      to: relative(join(ROOT, "src"), join(ROOT, "src", dirname(from), target!)).replaceAll("\\", "/"),
    }));
  }));
  return imports.flat();
}
