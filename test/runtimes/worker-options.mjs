// Prints the Worker's options from wrangler's configuration as JSON, for `bundle.ts`.
import { fileURLToPath } from "node:url";
import { unstable_getMiniflareWorkerOptions as optionsOf } from "wrangler";

const { workerOptions } = optionsOf(
  fileURLToPath(new URL("../../wrangler.jsonc", import.meta.url)),
);
console.log(JSON.stringify(workerOptions));
