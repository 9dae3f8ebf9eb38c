// Serves the Worker as Cloudflare would: the bundle that wrangler makes, configured as wrangler says, in workerd.
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { readFile } from "node:fs/promises";
import process from "node:process";

const { WORKER, PORT, ...variables } = process.env;
const { file, options } = JSON.parse(WORKER);
const miniflare = new Miniflare(convertV4MiniflareOptions({
  ...options,
  port: Number(PORT),
  host: "127.0.0.1",
  modules: [{ type: "ESModule", path: "worker.js", contents: await readFile(file, "utf8") }],
  bindings: variables,
}));
console.log(`Listening on ${(await miniflare.ready).origin}`);
