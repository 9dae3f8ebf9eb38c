import {
  configureSync,
  getConsoleSink,
  getJsonLinesFormatter,
  getTextFormatter,
  type LogLevel,
} from "@logtape/logtape";

/** Logs to the console: one JSON object a line, or text for people. */
export function configureLog(level: LogLevel, style: "json" | "text"): void {
  const formatter = style === "json"
    ? getJsonLinesFormatter()
    : getTextFormatter({ timestamp: "time", category: "." });
  configureSync({
    sinks: { console: getConsoleSink({ formatter }) },
    loggers: [
      { category: "cqrs", lowestLevel: level, sinks: ["console"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["console"] },
    ],
    reset: true,
  });
}
