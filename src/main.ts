import process from "node:process";
import { dev, runUntilStopped, shop } from "./process/modes.ts";
import { doctor } from "./process/doctor/doctor.ts";
import { migrateOnly, rewindOnly } from "./process/upkeep.ts";

/** The modes of the program, for `npm run …` and `deno task …`. */
const modes = new Map<string, () => Promise<number>>([
  ["dev", dev],
  ["shop", shop],
  ["start", () => runUntilStopped("api and relay")],
  ["relay", () => runUntilStopped("relay")],
  ["migrate", migrateOnly],
  ["rewind", rewindOnly],
  ["doctor", doctor],
]);

const mode = modes.get(process.argv[2] ?? "start");
try {
  if (!mode) throw new Error(`Cannot run ${process.argv[2]}: choose one of ${[...modes.keys()].join(", ")}`);
  process.exit(await mode());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
