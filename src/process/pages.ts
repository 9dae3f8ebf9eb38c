import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { docsPage } from "../http/docs-page.ts";

/** Returns the documentation page, with files from the installed package `swagger-ui-dist`. */
export function pages() {
  const folder = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  return docsPage(async (file) => new Uint8Array(await readFile(join(folder, file))));
}
