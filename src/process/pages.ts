import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { type DocsFile, docsPage, type SentFile } from "../http/docs-page.ts";

interface Held {
  plain: Uint8Array<ArrayBuffer>;
  gzipped: Uint8Array<ArrayBuffer>;
  etag: string;
}

const require = createRequire(import.meta.url);

/** The files in memory, read and compressed once for all requests of the process. */
const held = new Map<DocsFile, Promise<Held>>();

/** Returns the documentation page, with files from the installed package `swagger-ui-dist`. */
export function pages() {
  return docsPage(async (file, { headers }) => {
    const reading = held.get(file) ?? read(file);
    held.set(file, reading);
    return toSent(await reading, headers);
  });
}

async function read(file: DocsFile): Promise<Held> {
  try {
    const folder = dirname(require.resolve("swagger-ui-dist/package.json"));
    const plain = new Uint8Array(await readFile(join(folder, file)));
    const gzipped = new Uint8Array(await promisify(gzip)(plain));
    return {
      plain,
      gzipped,
      etag: `"${(require("swagger-ui-dist/package.json") as { version: string }).version}`,
    };
  } catch (error) {
    held.delete(file);
    throw error;
  }
}

function toSent({ plain, gzipped, etag }: Held, asked: Headers): SentFile {
  const compressed = /\bgzip\b(?! *; *q=0(\.0*)? *(,|$))/i.test(asked.get("accept-encoding") ?? "");
  const tag = `${etag}${compressed ? "-gzip" : ""}"`;
  const headers = { ETag: tag, Vary: "Accept-Encoding", ...compressed && { "Content-Encoding": "gzip" } };
  if (asked.get("if-none-match") === tag) {
    return { body: null, headers: { ETag: tag, Vary: "Accept-Encoding" } };
  }
  return { body: compressed ? gzipped : plain, headers };
}
