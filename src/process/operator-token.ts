import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Returns the operator's token of a project in development, kept in the folder: random, because pages of other sites may
 * find their way to a program on the developer's machine. The first call makes the token.
 */
export async function operatorTokenOf(folder: string): Promise<string> {
  const file = join(folder, "operator-token");
  await mkdir(folder, { recursive: true });
  await writeFile(file, randomBytes(16).toString("hex"), { flag: "wx", mode: 0o600 }).catch((error) => {
    if (error.code !== "EEXIST") throw error;
  });
  return await readFile(file, "utf8");
}
