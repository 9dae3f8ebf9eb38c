// Serves the Worker like Cloudflare: in workerd, with wrangler's bundle and configuration.
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { readFile } from "node:fs/promises";
import process from "node:process";

const { WORKER, PORT, HYPERDRIVE, ...variables } = process.env;
const isDatabase = ([name]) => name.endsWith("DATABASE_URL");
const [databases, rest] = [true, false].map((wanted) =>
  Object.fromEntries(
    Object.entries(variables).filter((entry) => isDatabase(entry) === wanted),
  )
);
const { file, options } = JSON.parse(WORKER);
const miniflare = new Miniflare(convertV4MiniflareOptions({
  ...options,
  port: Number(PORT),
  host: "127.0.0.1",
  modules: [{
    type: "ESModule",
    path: "worker.js",
    contents: await readFile(file, "utf8"),
  }],
  ...HYPERDRIVE === "on" ? { bindings: rest, hyperdrives: databases } : { bindings: variables },
  // Lets the tests trigger the cron.
  unsafeTriggerHandlers: true,
}));
console.log(`Listening on ${(await miniflare.ready).origin}`);
