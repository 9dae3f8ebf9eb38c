import process from "node:process";
import { fileURLToPath } from "node:url";

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const newestNode = here("node_modules/node/bin/node");
const deno = here("../../node_modules/deno/deno");

export interface Place {
  port: number;
  /** Host and port of each database. */
  databases: string[];
}

/** What the program is run with, by the name of the runtime. */
export const runtimes = {
  "node": () => [process.execPath, "--import", "tsx", "src/main.ts", "start"],
  "newest-node": () => [newestNode, "src/main.ts", "start"],
  "bun": () => [here("node_modules/.bin/bun"), "src/main.ts", "start"],
  // Nothing but what it needs: to listen, to reach the database, settings, and the files of the page /docs.
  "deno": ({ port, databases }: Place) => [
    deno,
    "serve",
    "--no-prompt",
    `--allow-net=${[`127.0.0.1:${port}`, ...databases].join(",")}`,
    "--allow-env",
    "--allow-read=node_modules/swagger-ui-dist",
    "--host=127.0.0.1",
    `--port=${port}`,
    "src/deno.ts",
  ],
  "workerd": () => [newestNode, here("serve-worker.mjs")],
};

/** What is run elsewhere only, with what is closest to it here. */
export const platforms = {
  "vercel": () => [newestNode, here("serve-vercel.ts")],
  "supabase": () => [deno, "run", "--allow-all", here("serve-supabase.ts")],
};

export type Runtime = keyof typeof runtimes | keyof typeof platforms;
