import * as z from "zod";
import { endpoints } from "./publish/endpoint.ts";

const postgresUrl = z.url({ protocol: /^postgres(ql)?$/, error: "is not a postgres:// URL" });
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
  QUERY_FALLBACK: z.enum(["primary", "none"], { error: "is neither primary nor none" }).default("none"),
  OPS_TOKEN: z.string().regex(/^[\w.~+/-]+=*$/, "has characters that a bearer token may not have").optional(),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warning", "error", "fatal"], {
    error: "is none of trace, debug, info, warning, error, fatal",
  }).default("info"),
  DATA_DIR: z.string().default(".data"),
  RELAY: z.enum(["on", "off"], { error: "is neither on nor off" }).default("on"),
  SERVE: z.enum(["all", "commands", "queries"], { error: "is none of all, commands, queries" }).default(
    "all",
  ),
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
  /** On the database of the commands, also where queries have a replica. */
  query: string;
  /** For queries that need not be exact; none when no URL names another address for them than for commands. */
  replica?: string;
  relay: string;
  /** Past any pooler, for LISTEN. */
  direct: string;
}

/** The URL of every role: its own, or the one for all. */
export function databaseUrls(settings: Settings & { DATABASE_URL: string }): DatabaseUrls {
  const { DATABASE_URL, COMMAND_DATABASE_URL, QUERY_DATABASE_URL, RELAY_DATABASE_URL, DATABASE_DIRECT_URL } =
    settings;
  const relay = RELAY_DATABASE_URL ?? DATABASE_URL;
  const command = COMMAND_DATABASE_URL ?? DATABASE_URL;
  const query = QUERY_DATABASE_URL ?? DATABASE_URL;
  const isReplica = QUERY_DATABASE_URL !== undefined && addressOf(query) !== addressOf(command);
  return {
    owner: DATABASE_DIRECT_URL ?? DATABASE_URL,
    command,
    ...isReplica ? { query: movedTo(command, query), replica: query } : { query },
    relay,
    direct: DATABASE_DIRECT_URL ?? relay,
  };
}

function addressOf(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port || "5432"}`;
}

/** The same login, at the place of another URL: a replica has the roles and passwords of its primary. */
function movedTo(place: string, login: string): string {
  const { hostname, port, pathname } = new URL(place);
  return Object.assign(new URL(login), { hostname, port, pathname }).href;
}
