/** The levels, from the least to the most important. */
export const LOG_LEVELS = ["trace", "debug", "info", "warning", "error", "fatal"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

type Properties = Record<string, unknown>;

export interface LogRecord {
  time: Date;
  level: "debug" | "info" | "warn" | "error";
  /** The logging part of the program, for example `cqrs.relay`. */
  logger: string;
  message: string;
  properties: Properties;
}

let lowest = Infinity;
let write = (_record: LogRecord) => {};

/**
 * Logs records of the level and above: to the console, as a JSON object a line or as text for people, or to a
 * function. Before the first call, nothing is logged.
 */
export function configureLogging(level: LogLevel, to: "json" | "text" | ((record: LogRecord) => void)): void {
  lowest = LOG_LEVELS.indexOf(level);
  if (typeof to === "function") write = to;
  else write = (record) => console[record.level](toLine(to === "json" ? toJson(record) : toText(record)));
}

/** Returns a logger for a part of the program. In messages, `{name}` stands for the property `name`. */
export function getLogger(logger: string) {
  const at = (level: LogRecord["level"]) => (template: string, properties: Properties = {}) => {
    if (LOG_LEVELS.indexOf(level === "warn" ? "warning" : level) < lowest) return;
    const message = template.replace(/\{(\w+)\}/g, (_, name: string) => show(properties[name]));
    write({ time: new Date(), level, logger, message, properties });
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** Returns a line without control characters, which could forge lines or steer a terminal; only stack traces have more lines. */
function toLine(text: string): string {
  return text.replace(
    /(?!\n {4}at )[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function toText({ time, level, logger, message }: LogRecord): string {
  return `${time.toISOString().slice(11, 23)} [${level.toUpperCase()}] ${logger}: ${message}`;
}

function toJson({ time, level, logger, message, properties }: LogRecord): string {
  return JSON.stringify(
    { "@timestamp": time, level: level.toUpperCase(), message, logger, properties },
    plain(),
  );
}

function show(value: unknown): string {
  if (value instanceof Error) return value.stack ?? String(value);
  return typeof value === "object" ? JSON.stringify(value, plain()) : String(value);
}

/** Returns a replacer for JSON: keeps errors, and writes bigints and objects that contain themselves. */
function plain() {
  const seen = new Set<unknown>();
  return (_key: string, value: unknown) => {
    if (typeof value === "bigint") return String(value);
    if (typeof value !== "object" || value === null) return value;
    if (seen.has(value)) return "(see above)";
    seen.add(value);
    if (!(value instanceof Error)) return value;
    const { name, message, stack, cause, errors } = value as AggregateError;
    return { name, message, stack, cause, errors };
  };
}
