import process from "node:process";
import * as z from "zod/mini";
import { type App, readSettings } from "../compose.ts";
import { InvalidSettings, outsideDevelopment, type Settings } from "../config.ts";

const onOrOff = z.enum(["on", "off"], "is none of on, off");
const hostNames = z.pipe(
  z.string(),
  z.transform((text: string) => text.split(",").map((name) => name.trim()).filter((name) => name !== "")),
);

const ofProcess = z.object({
  ALLOWED_HOSTS: z.optional(hostNames),
  CONNECTIONS_MAX: z._default(
    z.coerce.number("is not a number").check(z.int("is not a whole number"), z.minimum(1, "is less than 1")),
    10_000,
  ),
  EMBEDDED_POSTGRES: z._default(onOrOff, "off"),
});

/** The settings of a process that serves or relays. */
export type ProcessSettings = Settings & z.infer<typeof ofProcess>;

/** Reads the settings of a process in development. @throws {InvalidSettings} If any setting is wrong. */
export function readDevelopmentSettings(app?: App): ProcessSettings {
  return readSettings(process.env, app, [ofProcess]) as ProcessSettings;
}

/**
 * Reads the settings of a process outside development.
 * @throws {InvalidSettings} If any setting is wrong, or without a database: an embedded PostgreSQL has to be asked for.
 */
export function readProductionSettings(app: App): ProcessSettings {
  const settings = readSettings(process.env, app, [ofProcess, outsideDevelopment]) as ProcessSettings;
  if (settings.DATABASE_URL === undefined && settings.EMBEDDED_POSTGRES === "off") {
    throw new InvalidSettings(
      "Cannot start: DATABASE_URL is missing; EMBEDDED_POSTGRES=on starts a PostgreSQL in DATA_DIR",
    );
  }
  return settings;
}
