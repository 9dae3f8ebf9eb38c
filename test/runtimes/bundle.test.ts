import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runtime } from "../support/runtime.ts";
import { type Bundle, bundleWorker } from "./bundle.ts";
import { hasPlatform } from "./runtimes.ts";

const GZIPPED_BYTES_MAX = 107 * 1024;

/** esbuild's description of a written file. */
interface Output {
  imports: { path: string; kind: string }[];
  inputs: Record<string, { bytesInOutput: number }>;
}

describe.skipIf(!hasPlatform("cloudflare") || (runtime !== undefined && runtime !== "workerd"))(
  "the Worker's bundle",
  () => {
    let bundle: Bundle;
    let output: Output;
    beforeAll(async () => {
      bundle = await bundleWorker();
      const { outputs } = JSON.parse(
        await readFile(bundle.metafile, "utf8"),
      ) as {
        outputs: Record<string, Output>;
      };
      output = Object.entries(outputs).find(([file]) => file.endsWith("/entry.js"))![1];
    });
    afterAll(() => bundle?.remove());

    it("has 107 KB at most, gzipped", async () => {
      const bytes = gzipSync(await readFile(bundle.file)).length;
      console.log(
        `The Worker's bundle: ${toKb(bytes)} KB gzipped. Before that, in KB:`,
        sharesOf(output),
      );
      expect(bytes).toBeLessThanOrEqual(GZIPPED_BYTES_MAX);
    });

    it("takes nothing from Node.js but what postgres.js needs, and nodejs_compat has", () => {
      const imported = output.imports.filter(({ kind }) => kind === "import-statement").map(({ path }) =>
        path
      );
      expect([...new Set(imported)].toSorted()).toEqual([
        "node:buffer",
        "node:events",
        "node:stream",
      ]);
    });

    it("has one zod: the small one, and one of its languages", () => {
      const files = Object.entries(output.inputs).flatMap((
        [file, { bytesInOutput }],
      ) => bytesInOutput > 0 ? file : []);
      expect(
        files.filter((file) => /\/zod\/.+\/(classic|locales)\//.test(file)),
      )
        .toEqual([expect.stringMatching(/locales\/en\.js$/)]);
    });
  },
);

/** Returns the KB of the bundle for each package and for our own code (`src`), largest first. */
function sharesOf({ inputs }: Output): Record<string, number> {
  const bytes = new Map<string, number>();
  for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? "src";
    bytes.set(name, (bytes.get(name) ?? 0) + bytesInOutput);
  }
  const largestFirst = [...bytes].filter(([, size]) => size > 0).toSorted((
    [, a],
    [, b],
  ) => b - a);
  return Object.fromEntries(
    largestFirst.map(([name, size]) => [name, toKb(size)]),
  );
}

function toKb(bytes: number): number {
  return Math.round(bytes / 102.4) / 10;
}
