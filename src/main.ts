import process from "node:process";
import { dev, migrateOnly, serveParts, shop } from "./process/commands.ts";

/** What `npm run …` and `deno task …` start: this program in one of its modes. */
const modes: Record<string, () => Promise<number>> = {
  dev,
  shop,
  start: () => serveParts("api and relay"),
  relay: () => serveParts("relay"),
  migrate: migrateOnly,
};

const mode = modes[process.argv[2] ?? "start"];
try {
  if (!mode) throw new Error(`Cannot run ${process.argv[2]}: choose one of ${Object.keys(modes).join(", ")}`);
  process.exit(await mode());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
