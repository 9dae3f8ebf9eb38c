import process from "node:process";
import type { App } from "../compose.ts";
import type { Database } from "../database/database.ts";
import { dev, devServer, runUntilStopped } from "./modes.ts";
import type { ProcessRooms } from "./room.ts";
import * as rooms from "./rooms.ts";
import { examine, migrateOnly, rewindOnly } from "./upkeep.ts";

const optional: ProcessRooms = rooms;
const { doctor } = optional;

/**
 * Runs the mode named on the command line, for `npm run …` and `deno task …`, and ends the process. `fill`
 * adds sample data in development.
 */
export async function runMode(app: App, fill?: (db: Database) => Promise<void>): Promise<never> {
  const modes: Record<string, () => Promise<number>> = {
    "dev": dev,
    "dev-server": () => devServer(app, fill),
    "start": () => runUntilStopped(app, "api and relay"),
    "relay": () => runUntilStopped(app, "relay"),
    "migrate": migrateOnly,
    "rewind": rewindOnly,
    ...doctor && { "doctor": () => examine(app, doctor) },
  };
  const name = process.argv[2] ?? "start";
  try {
    const mode = Object.hasOwn(modes, name) && modes[name];
    if (!mode) throw new Error(`Cannot run ${name}: choose one of ${Object.keys(modes).join(", ")}`);
    process.exit(await mode());
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
