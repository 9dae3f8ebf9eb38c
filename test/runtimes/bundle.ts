import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { type Entries, entryOf } from "./runtimes.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const node = join(here, "node_modules/node/bin/node");

export interface Bundle {
  /** The path of the Worker's single file. */
  file: string;
  /** The path of esbuild's description of the bundle. */
  metafile: string;
  /** The Worker's configuration, for miniflare and workerd. */
  options: { compatibilityDate: string; compatibilityFlags: string[] };
  remove(): Promise<void>;
}

/** Makes the Worker's bundle with wrangler, like a deployment. */
export async function bundleWorker(entries: Entries = "src"): Promise<Bundle> {
  const folder = await mkdtemp(join(tmpdir(), "cqrs-worker-"));
  const metafile = join(folder, "meta.json");
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false" };
  const [printed] = await Promise.all([
    promisify(execFile)(node, [join(here, "worker-options.mjs")], { env }),
    promisify(execFile)(node, [
      join(here, "node_modules/wrangler/bin/wrangler.js"),
      "deploy",
      join(here, "../..", entryOf(entries, "cloudflare")),
      "--dry-run",
      "--minify",
      `--config=${join(here, "../../wrangler.jsonc")}`,
      `--outdir=${folder}`,
      `--metafile=${metafile}`,
    ], { env }),
  ]);
  return {
    file: join(folder, "entry.js"),
    metafile,
    options: JSON.parse(printed.stdout),
    remove: () => rm(folder, { recursive: true }),
  };
}
