import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Bundle } from "./bundle.ts";

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const newestNode = here("node_modules/node/bin/node");
const deno = here("../../node_modules/deno/deno");

/** The folder of the entries: the program of this checkout, or the one of the tests. */
export type Entries = "src" | "test/jars";

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
    `${entries}/deno.ts`,
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
  "vercel": () => [newestNode, here("serve-vercel.ts")],
  "supabase": () => [deno, "run", "--allow-all", here("serve-supabase.ts")],
};

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
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "${options.compatibilityDate}",
  compatibilityFlags = ${JSON.stringify(options.compatibilityFlags)},
  bindings = [(name = "ASSETS", service = "assets"), ${variables.join(", ")}],
);
`,
  );
  return config;
}
