import process from "node:process";
import { fileURLToPath } from "node:url";

const packages = fileURLToPath(new URL("node_modules/", import.meta.url));
const newestNode = `${packages}node/bin/node`;
const deno = fileURLToPath(new URL("../../node_modules/deno/deno", import.meta.url));

/** What the tests run the program with. The host and the port it may use are those of the settings. */
export const runtimes: Record<string, (place: Place) => string[]> = {
  "node": () => [process.execPath, "--import", "tsx", "src/main.ts", "start"],
  "newest-node": () => [newestNode, "src/main.ts", "start"],
  "bun": () => [`${packages}.bin/bun`, "src/main.ts", "start"],
  // Nothing but what it needs: to listen, to reach the database, settings, and the files of the page /docs.
  "deno": ({ port, database }) => [
    deno,
    "serve",
    "--no-prompt",
    `--allow-net=127.0.0.1:${port},${database}`,
    "--allow-env",
    "--allow-read=node_modules/swagger-ui-dist",
    "--host=127.0.0.1",
    `--port=${port}`,
    "src/deno.ts",
  ],
  "workerd": () => [newestNode, fileURLToPath(new URL("serve-worker.mjs", import.meta.url))],
};

export interface Place {
  port: number;
  /** Host and port of the database. */
  database: string;
}
