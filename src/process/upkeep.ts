import process from "node:process";
import { type App, readSettings } from "../compose.ts";
import { settingOf } from "../config.ts";
import { openDatabase } from "../database/database.ts";
import { rewind } from "../relay/rewind.ts";
import { limitsOf } from "./limits.ts";
import { migrateDatabase, readMigrations } from "./migrations.ts";
import type { ProcessRooms } from "./room.ts";
import { explainUnreached } from "./unreached.ts";
import { useDatabase } from "./use-database.ts";

const REWIND_MS = 3_600_000;

/** Runs `migrate`: applies the pending migrations. Returns the exit code. */
export async function migrateOnly(): Promise<number> {
  const settings = readSettings(process.env);
  const database = await useDatabase(settings);
  try {
    const applied = await migrateDatabase(database.urls, (line) => console.log(line));
    if (applied.length === 0) console.log("Nothing to apply");
    return 0;
  } catch (error) {
    throw explainUnreached(error, settingOf(settings, "DATABASE_DIRECT_URL"));
  } finally {
    await database.stop();
  }
}

/** Runs `rewind`, for a restored older copy of the database, refused by the relay. Returns the exit code. */
export async function rewindOnly(): Promise<number> {
  const settings = readSettings(process.env);
  const database = await useDatabase(settings);
  const db = openDatabase(database.urls.direct, {
    max: 1,
    deadlineMs: REWIND_MS,
    applicationName: "cqrs rewind",
  });
  try {
    const rewound = await rewind(db);
    for (const { subscription, from, to } of rewound) {
      console.log(`Set ${subscription} back from ${from} to ${to}`);
    }
    console.log(rewound.length > 0 ? "Recomputed every read model" : "Nothing to rewind");
    return 0;
  } catch (error) {
    const { DATABASE_DIRECT_URL: direct } = settings;
    throw explainUnreached(error, direct ? "DATABASE_DIRECT_URL" : settingOf(settings, "RELAY_DATABASE_URL"));
  } finally {
    await db.destroy();
    await database.stop();
  }
}

/** Runs `doctor`, with the settings of `npm start`. Returns the exit code. */
export async function examine(app: App, doctor: Required<ProcessRooms>["doctor"]): Promise<number> {
  const database = await useDatabase(readSettings(process.env));
  try {
    return await doctor(database.urls, limitsOf(app), await readMigrations());
  } finally {
    await database.stop();
  }
}
