import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import { configureLogging, getLogger, type LogRecord } from "../src/logging.ts";

const logger = getLogger("cqrs.test");
const METHODS = ["debug", "info", "warn", "error"] as const;

describe("The log", () => {
  let printed: Record<(typeof METHODS)[number], MockInstance>;
  const lines = () => METHODS.flatMap((method) => printed[method].mock.calls.map(([line]) => line as string));

  beforeEach(() => {
    vi.useFakeTimers({ now: new Date("2026-11-21T10:20:30.456Z") });
    printed = Object.fromEntries(
      METHODS.map((method) => [method, vi.spyOn(console, method).mockReturnValue()]),
    ) as unknown as typeof printed;
  });
  afterEach(() => {
    configureLogging("fatal", () => {});
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it("is silent until it is configured", async () => {
    vi.resetModules();
    const fresh = await import("../src/logging.ts");
    fresh.getLogger("cqrs.test").error("Cannot be heard");
    expect(lines()).toEqual([]);
  });

  it("is one JSON object a line", () => {
    configureLogging("info", "json");
    logger.warn("Try {attempts} of {name} failed: {message}", {
      attempts: 2,
      name: "billing",
      message: `it said "no"\nand hung up`,
      more: [{ a: 1 }],
    });
    expect(lines()).toEqual([
      '{"@timestamp":"2026-11-21T10:20:30.456Z","level":"WARN",' +
      '"message":"Try 2 of billing failed: it said \\"no\\"\\nand hung up","logger":"cqrs.test","properties":' +
      '{"attempts":2,"name":"billing","message":"it said \\"no\\"\\nand hung up","more":[{"a":1}]}}',
    ]);
  });

  it("is text for people", () => {
    configureLogging("info", "text");
    logger.info("{method} {path} {status}", { method: "GET", path: "/orders", status: 200, ms: 3 });
    expect(lines()).toEqual(["10:20:30.456 [INFO] cqrs.test: GET /orders 200"]);
  });

  it("has no control characters, whatever it is told: nobody forges lines or steers a terminal", () => {
    const hostile = "/a\n00:00:00.000 [ERROR] cqrs.relay: all is lost\r\u001b[31m\0\u009b\u2028\u202e";
    for (const format of ["text", "json"] as const) {
      configureLogging("info", format);
      logger.info("GET {path} 404", { path: hostile });
    }
    const [text, json] = lines();
    expect(text).toBe(
      "10:20:30.456 [INFO] cqrs.test: GET /a\\u000a00:00:00.000 [ERROR] cqrs.relay: all is lost" +
        "\\u000d\\u001b[31m\\u0000\\u009b\\u2028\\u202e 404",
    );
    // deno-lint-ignore no-control-regex
    expect(json).not.toMatch(/[\0-\x1f\x7f-\x9f\u2028\u202e]/);
    expect(JSON.parse(json!).properties.path).toBe(hostile);
  });

  it("shows a stack trace on lines of its own", () => {
    configureLogging("info", "text");
    logger.error("Failed: {error}", { error: new Error("two\nlines") });
    expect(lines()[0]).toMatch(/Failed: Error: two\\u000alines\n {4}at /);
  });

  it("says what is missing, empty, or no text", () => {
    const records: LogRecord[] = [];
    configureLogging("info", (record) => void records.push(record));
    logger.info("{a} {b} {c} {d} {e}", { b: null, c: { x: [1] }, d: 5n, e: "" });
    expect(records.map(({ message }) => message)).toEqual([`undefined null {"x":[1]} 5 `]);
  });

  it.each(
    [
      ["trace", ["DEBUG", "INFO", "WARN", "ERROR"]],
      ["debug", ["DEBUG", "INFO", "WARN", "ERROR"]],
      ["info", ["INFO", "WARN", "ERROR"]],
      ["warning", ["WARN", "ERROR"]],
      ["error", ["ERROR"]],
      ["fatal", []],
    ] as const,
  )("at level %s has %j", (level, expected) => {
    configureLogging(level, "json");
    for (const method of METHODS) logger[method]("Something");
    expect(lines().map((line) => JSON.parse(line).level)).toEqual(expected);
    for (const method of METHODS) {
      const levels = printed[method].mock.calls.map(([line]) => JSON.parse(line).level);
      expect(new Set(levels)).toEqual(new Set(expected.filter((name) => name === method.toUpperCase())));
    }
  });

  it("keeps errors, with their causes", () => {
    configureLogging("info", "json");
    const cause = new AggregateError([new Error("first"), new Error("second")], "both");
    logger.error("Cannot do it: {error}", { error: new TypeError("broken", { cause }) });
    const { message, properties: { error } } = JSON.parse(lines()[0]!);
    expect(message).toContain("Cannot do it: TypeError: broken\n    at ");
    expect(error).toMatchObject({
      name: "TypeError",
      message: "broken",
      stack: expect.stringMatching("at "),
    });
    expect(error.cause).toMatchObject({
      message: "both",
      errors: [{ message: "first" }, { message: "second" }],
    });
  });

  it("never fails at what JSON cannot say", () => {
    configureLogging("info", "json");
    const error = new Error("round");
    error.cause = { error };
    logger.error("{error} {count}", { error, count: 1n, nothing: undefined, run() {} });
    expect(JSON.parse(lines()[0]!).properties).toMatchObject({
      error: { message: "round", cause: { error: "(see above)" } },
      count: "1",
    });
  });
});
