import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Bundle } from "./bundle.ts";

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const newestNode = here("node_modules/node/bin/node");
const deno = here("../../node_modules/deno/deno");

/** The program of this checkout, or the one of the tests. */
export type Entries = "src" | "test/jars";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Returns the path of a program's entry for a platform. */
export function entryOf(entries: Entries, platform: "deno" | "cloudflare"): string {
  return `${entries === "src" ? "src" : "test"}/${platform}/entry.ts`;
}

/** Returns true unless the room of a platform is closed. */
export function hasPlatform(platform: string): boolean {
  return existsSync(join(ROOT, "src", platform));
}

export interface Place {
  entries: Entries;
  port: number;
  /** The host and port of each database. */
  databases: string[];
  settings: Record<string, string>;
  /** The Worker's bundle. */
  bundle: Pick<Bundle, "file" | "options">;
}

/** The command to run the program, by the name of the runtime. */
export const runtimes = {
  "node": (
    { entries }: Place,
  ) => [process.execPath, "--import", "tsx", `${entries}/main.ts`, "start"],
  "newest-node": (
    { entries }: Place,
  ) => [newestNode, `${entries}/main.ts`, "start"],
  "bun": (
    { entries }: Place,
  ) => [here("node_modules/.bin/bun"), `${entries}/main.ts`, "start"],
  // Only the necessary permissions: the port, the databases, settings, and the files of the page /docs.
  "deno": ({ port, databases, entries }: Place) => [
    deno,
    "serve",
    "--no-prompt",
    `--allow-net=${[`127.0.0.1:${port}`, ...databases].join(",")}`,
    "--allow-env",
    "--allow-read=node_modules/swagger-ui-dist",
    "--host=127.0.0.1",
    `--port=${port}`,
    entryOf(entries, "deno"),
  ],
  "workerd": async (place: Place) => [
    here("node_modules/.bin/workerd"),
    "serve",
    await writeConfig(place),
    `--directory-path=assets=${here("../../node_modules/swagger-ui-dist")}`,
  ],
};

/** The command to run the program like a hosted platform, as closely as possible on this machine. */
export const platforms = {
  "cloudflare": () => [newestNode, here("serve-worker.mjs")],
  "vercel": () => [newestNode, here("../vercel/serve.ts")],
  "supabase": () => [deno, "run", "--allow-all", here("../supabase/serve.ts")],
};

/** The platform with the entry for a runtime; the other runtimes start `main.ts`. */
const PLATFORM_OF: Record<string, string> = { deno: "deno", workerd: "cloudflare" };

/** The names of the runtimes, except those of a closed room. */
export const runtimeNames = (Object.keys(runtimes) as (keyof typeof runtimes)[])
  .filter((name) => PLATFORM_OF[name] === undefined || hasPlatform(PLATFORM_OF[name]));

export type Runtime = keyof typeof runtimes | keyof typeof platforms;

/** Writes workerd's configuration: the bundle with wrangler's options, and the settings as variables. */
async function writeConfig(
  { port, settings, bundle: { file, options } }: Place,
): Promise<string> {
  const config = join(dirname(file), `worker-${port}.capnp`);
  const variables = Object.entries(settings).map(([name, value]) =>
    `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(value)})`
  );
  await writeFile(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "internet", network = (allow = ["public", "private"])),
    (name = "assets", disk = (path = "assets")),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "worker")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "${basename(file)}")],
  compatibilityDate = "${options.compatibilityDate}",
  compatibilityFlags = ${JSON.stringify(options.compatibilityFlags)},
  bindings = [(name = "ASSETS", service = "assets"), ${variables.join(", ")}],
);
`,
  );
  return config;
}
