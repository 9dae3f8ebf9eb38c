// Prints how wrangler's configuration configures the Worker, for `serve-worker.mjs`.
import { fileURLToPath } from "node:url";
import { unstable_getMiniflareWorkerOptions as optionsOf } from "wrangler";

const { workerOptions } = optionsOf(fileURLToPath(new URL("../../wrangler.jsonc", import.meta.url)));
console.log(JSON.stringify(workerOptions));
