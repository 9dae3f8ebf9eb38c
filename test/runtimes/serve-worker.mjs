// Serves the Worker as Cloudflare would: the bundle that wrangler makes, with the settings of its configuration, in workerd.
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { unstable_getMiniflareWorkerOptions as optionsOf } from "wrangler";

const { workerOptions } = optionsOf(fileURLToPath(new URL("../../wrangler.jsonc", import.meta.url)));
const miniflare = new Miniflare(convertV4MiniflareOptions({
  ...workerOptions,
  port: Number(process.env.PORT),
  host: "127.0.0.1",
  modules: [{ type: "ESModule", path: "worker.js", contents: await readFile(process.env.WORKER, "utf8") }],
  bindings: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm|NODE)/.test(name))),
}));
console.log(`Listening on ${(await miniflare.ready).origin}`);
process.on("SIGTERM", () => miniflare.dispose().then(() => process.exit(0)));
