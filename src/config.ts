import * as z from "zod";
import { POOLERS, withPooler } from "./database/pooler.ts";
import { endpoints } from "./publish/endpoint.ts";

const postgresUrl = z.url({ protocol: /^postgres(ql)?$/, error: "is not a postgres:// URL" });
const poolers = ["auto", ...POOLERS] as const;
const port = z.coerce.number("is not a number").int("is not a port").min(0, "is not a port").max(
  65535,
  "is not a port",
);
const milliseconds = z.coerce.number("is not a number").int("is not a whole number").min(0, "is negative");

const ROLE_URLS = [
  "COMMAND_DATABASE_URL",
  "QUERY_DATABASE_URL",
  "RELAY_DATABASE_URL",
  "DATABASE_DIRECT_URL",
] as const;

const environment = z.object({
  PORT: port.default(8000),
  HOST: z.string().optional(),
  DATABASE_URL: postgresUrl.optional(),
  COMMAND_DATABASE_URL: postgresUrl.optional(),
  QUERY_DATABASE_URL: postgresUrl.optional(),
  RELAY_DATABASE_URL: postgresUrl.optional(),
  DATABASE_DIRECT_URL: postgresUrl.optional(),
  DATABASE_POOLER: z.enum(poolers, { error: `is none of ${poolers.join(", ")}` }).default("auto"),
  OPS_TOKEN: z.string().regex(/^[\w.~+/-]+=*$/, "has characters that a bearer token may not have").optional(),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warning", "error", "fatal"], {
    error: "is none of trace, debug, info, warning, error, fatal",
  }).default("info"),
  DATA_DIR: z.string().default(".data"),
  RELAY: z.enum(["on", "off"], { error: "is neither on nor off" }).default("on"),
  RELAY_DELAY_MS: milliseconds.default(0),
  PUBLISH_TO: endpoints.default([]),
  PUBLISH_TO_PRIVATE_ADDRESSES: z.enum(["allow", "refuse"], { error: "is neither allow nor refuse" }).default(
    "refuse",
  ),
  PUBLISH_SOURCE: z.string().regex(/^[\w.~:/?#[\]@!$&'()*+,;=%-]+$/, "has characters that a URI may not have")
    .default("urn:cqrs"),
}).superRefine(({ PUBLISH_TO, PUBLISH_TO_PRIVATE_ADDRESSES }, context) => {
  if (PUBLISH_TO_PRIVATE_ADDRESSES === "allow") return;
  PUBLISH_TO.forEach(({ url }, place) => {
    if (new URL(url).protocol === "https:") return;
    const message = "is not https, and PUBLISH_TO_PRIVATE_ADDRESSES is refuse";
    context.addIssue({ code: "custom", path: ["PUBLISH_TO", place, "url"], message });
  });
}).superRefine((settings, context) => {
  const other = ROLE_URLS.find((name) => settings[name] !== undefined);
  if (settings.DATABASE_URL !== undefined || other === undefined) return;
  context.addIssue({ code: "custom", path: ["DATABASE_URL"], message: `is missing, but ${other} is set` });
});

export type Settings = z.infer<typeof environment>;

/** The settings are wrong: one line for each bad field. */
export class InvalidSettings extends Error {}

/**
 * Reads the settings from environment variables; an empty one counts as missing.
 * @throws {InvalidSettings} If any is wrong.
 */
export function readSettings(variables: Record<string, string | undefined>): Settings {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ""));
  const result = environment.safeParse(given);
  if (result.success) return result.data;
  throw new InvalidSettings(
    result.error.issues.map(({ path, message }) => `Cannot start: ${path.join(".")} ${message}`).join("\n"),
  );
}

export interface DatabaseUrls {
  /** The owner, who migrates. */
  owner: string;
  command: string;
  query: string;
  relay: string;
  /** Past any pooler, for LISTEN. */
  direct: string;
}

/** The URL of every role: its own, or the one for all. */
export function databaseUrls(settings: Settings & { DATABASE_URL: string }): DatabaseUrls {
  const { DATABASE_POOLER, DATABASE_DIRECT_URL } = settings;
  const pooled = (url = settings.DATABASE_URL) =>
    DATABASE_POOLER === "auto" ? url : withPooler(url, DATABASE_POOLER);
  const direct = DATABASE_DIRECT_URL && withPooler(DATABASE_DIRECT_URL, "none");
  const relay = pooled(settings.RELAY_DATABASE_URL);
  return {
    owner: direct ?? pooled(),
    command: pooled(settings.COMMAND_DATABASE_URL),
    query: pooled(settings.QUERY_DATABASE_URL),
    relay,
    direct: direct ?? relay,
  };
}
