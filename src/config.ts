import * as z from "zod/mini";
import { poolerOf, POOLERS, withPooler } from "./database/pooler.ts";
import { fileIn, formatUrl, parseUrl } from "./database/url.ts";
import { LOG_LEVELS } from "./logging.ts";

const postgresUrl = z.string().check(z.superRefine((url, context) => {
  try {
    parseUrl(url);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
  }
}));
const poolers = ["auto", ...POOLERS] as const;
const port = z.coerce.number("is not a number")
  .check(z.int("is not a port"), z.minimum(0, "is not a port"), z.maximum(65535, "is not a port"));
const milliseconds = z.coerce.number("is not a number")
  .check(z.int("is not a whole number"), z.minimum(0, "is negative"));
const bytes = z.coerce.number("is not a number")
  .check(z.int("is not a whole number"), z.minimum(1, "is less than 1"));
const bearerToken = z.string()
  .check(z.regex(/^[\w.~+/-]+=*$/, "has characters that a bearer token may not have"));

/** The settings that are URLs of the database, besides `DATABASE_URL`. */
export const ROLE_URLS = [
  "COMMAND_DATABASE_URL",
  "QUERY_DATABASE_URL",
  "RELAY_DATABASE_URL",
  "DATABASE_DIRECT_URL",
] as const;

export type DatabaseSetting = "DATABASE_URL" | typeof ROLE_URLS[number];

const environment = z.object({
  PORT: z._default(port, 8000),
  HOST: z.optional(z.string()),
  DATABASE_URL: z.optional(postgresUrl),
  COMMAND_DATABASE_URL: z.optional(postgresUrl),
  QUERY_DATABASE_URL: z.optional(postgresUrl),
  RELAY_DATABASE_URL: z.optional(postgresUrl),
  DATABASE_DIRECT_URL: z.optional(postgresUrl),
  DATABASE_POOLER: z._default(z.enum(poolers, `is none of ${poolers.join(", ")}`), "auto"),
  OPS_TOKEN: z.optional(bearerToken),
  LOG_LEVEL: z._default(z.enum(LOG_LEVELS, `is none of ${LOG_LEVELS.join(", ")}`), "info"),
  DATA_DIR: z._default(z.string(), ".data"),
  RELAY: z._default(z.enum(["on", "off", "views", "handlers"], "is none of on, off, views, handlers"), "on"),
  DOCS: z._default(z.enum(["on", "off"], "is none of on, off"), "on"),
  TRUST_PROXY: z._default(z.enum(["on", "off"], "is none of on, off"), "off"),
  BODY_BYTES_MAX: z._default(bytes, 64 * 1024),
  SERVE: z._default(z.enum(["all", "commands", "queries"], "is none of all, commands, queries"), "all"),
  RELAY_DELAY_MS: z._default(milliseconds, 0),
}).check(z.superRefine((settings, context) => {
  const other = ROLE_URLS.find((name) => settings[name] !== undefined);
  if (settings.DATABASE_URL !== undefined || other === undefined) return;
  context.addIssue({ code: "custom", path: ["DATABASE_URL"], message: `is missing, but ${other} is set` });
}));

/** The settings of the program without its rooms. */
export type Settings = z.infer<typeof environment>;

/** The rules for settings outside development. */
export const outsideDevelopment = z.object({
  OPS_TOKEN: z.optional(z.string().check(z.minLength(16, "is shorter than 16 characters"))),
});

/** The settings are wrong. The message has a line for each bad field. */
export class InvalidSettings extends Error {}

/**
 * Reads the settings from environment variables, and in addition those of each schema in `more`; an empty
 * variable counts as missing.
 * @throws {InvalidSettings} If any setting is wrong.
 */
export function parseSettings(
  variables: Record<string, string | undefined>,
  more: z.ZodMiniType<object>[],
): Settings {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ""));
  const results = [environment, ...more].map((schema) => schema.safeParse(given));
  const issues = results.flatMap(({ error }) => error?.issues ?? []);
  if (issues.length === 0) return Object.assign({}, ...results.map(({ data }) => data));
  throw new InvalidSettings(
    issues.map(({ path, message }) => `Cannot start: ${path.join(".")} ${message}`).join("\n"),
  );
}

export interface DatabaseUrls {
  /** The owner's URL, for migrations. */
  owner: string;
  command: string;
  /** On the database of the commands, also where queries have a replica. */
  query: string;
  /** For queries that need not be exact. Missing unless queries have another address than commands. */
  replica?: string;
  relay: string;
  /** For LISTEN: past any pooler with `DATABASE_DIRECT_URL`, else the relay's URL. */
  direct: string;
}

/**
 * Returns the URL of every role: from the role's own setting, or from `DATABASE_URL`. Each URL is one that any
 * reader takes, whatever psql takes besides.
 * @throws {InvalidSettings} If a URL still names a file: no file can be read here.
 */
export function databaseUrls(settings: Settings & { DATABASE_URL: string }): DatabaseUrls {
  const { DATABASE_POOLER } = settings;
  const given = (name: DatabaseSetting, pooler: string = DATABASE_POOLER) => {
    const place = parseUrl(settings[name] ?? settings.DATABASE_URL);
    const file = fileIn(place);
    if (file) {
      throw new InvalidSettings(
        `Cannot start: ${settingOf(settings, name)} names a file in ${file}: give the text of the file`,
      );
    }
    if (pooler !== "auto") place.parameters.pooler = pooler;
    return formatUrl(place);
  };
  const direct = settings.DATABASE_DIRECT_URL && given("DATABASE_DIRECT_URL", "none");
  const command = given("COMMAND_DATABASE_URL");
  const query = given("QUERY_DATABASE_URL");
  const relay = given("RELAY_DATABASE_URL");
  const isReplica = settings.QUERY_DATABASE_URL !== undefined && addressOf(query) !== addressOf(command);
  return {
    owner: direct ?? given("DATABASE_URL"),
    command,
    ...isReplica ? { query: movedTo(command, query), replica: query } : { query },
    relay,
    direct: direct ?? relay,
  };
}

/** Returns the name of the setting with the URL of a role. */
export function settingOf(settings: Settings, name: DatabaseSetting): DatabaseSetting {
  return settings[name] === undefined ? "DATABASE_URL" : name;
}

/** Returns host and port. Hyperdrive's addresses do not name a database: all count as the same address. */
function addressOf(url: string): string {
  const { host, port } = parseUrl(url);
  return host.endsWith(".hyperdrive.local") ? "hyperdrive" : `${host}:${port || "5432"}`;
}

/** Returns a URL with the login moved to the place: a replica has the roles and passwords of the primary. */
function movedTo(place: string, login: string): string {
  const { host, port, database } = parseUrl(place);
  const moved = formatUrl({ ...parseUrl(login), host, port, database });
  const pooler = poolerOf(place);
  return poolerOf(moved) === pooler ? moved : withPooler(moved, pooler);
}
