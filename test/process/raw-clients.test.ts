import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { configureLogging, type LogRecord } from "../../src/logging.ts";
import { useTestApp } from "../support/app.ts";
import { connectRaw, exchange } from "../support/raw.ts";
import { until } from "../support/until.ts";

const app = useTestApp();
const isDeno = "Deno" in globalThis;

const honey = JSON.stringify({ label: "Honey" });
const POST = [
  "POST /jars HTTP/1.1",
  "Host: localhost",
  "Content-Type: application/json",
  `Content-Length: ${honey.length}`,
];
const jars = async () => (await app.database.owner.selectFrom("write.jars").select("id").execute()).length;

/** Expects an answer with problem details. */
function expectRefused(answer: string, status: number, code: string) {
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(answer).toMatch(/content-type: application\/problem\+json/i);
  expect(answer).toContain(`"code":"${code}"`);
}

describe("A client without Host", () => {
  it("is answered with HTTP/1.0, as load balancers ask", async () => {
    for (const path of ["/health", "/ready", "/jars"]) {
      expect(await exchange(app.url, [`GET ${path} HTTP/1.0`])).toMatch(/^HTTP\/1.1 200 /);
    }
  });

  it("is refused with HTTP/1.1, as RFC 9112 wants, and so are two hosts", async () => {
    expect(await exchange(app.url, ["GET /health HTTP/1.1"])).toMatch(/^HTTP\/1.1 400 /);
    const two = await exchange(app.url, ["GET /health HTTP/1.1", "Host: localhost", "Host: 127.0.0.1"]);
    expect(two).toMatch(/^HTTP\/1.1 400 /);
  });
});

describe("Two Idempotency-Key headers", () => {
  it.each([["Idempotency-Key: a", "Idempotency-Key: b"], ["Idempotency-Key: a", "IDEMPOTENCY-KEY: a"]])(
    "are a problem, and nothing is done: %s, %s",
    async (...keys) => {
      const before = await jars();
      expectRefused(await exchange(app.url, [...POST, ...keys], honey), 400, "invalid-input");
      expect(await jars()).toBe(before);
    },
  );

  it("are not meant by a comma in one", async () => {
    const answer = await exchange(app.url, [...POST, "Idempotency-Key: a, b"], honey);
    expect(answer).toMatch(/^HTTP\/1.1 201 /);
  });
});

describe("A method", () => {
  it("TRACE is refused, and nothing is sent back of the request", async () => {
    const secret = "Authorization: Bearer secret";
    const answer = await exchange(app.url, ["TRACE /jars HTTP/1.1", "Host: localhost", secret]);
    expectRefused(answer, 405, "method-not-allowed");
    expect(answer).toMatch(/allow: GET, HEAD, OPTIONS, POST/i);
    expect(answer).not.toContain("secret");
  });

  it.each(["FOO", "get", "G E T"])("that no server knows is refused: %s", async (method) => {
    const answer = await exchange(app.url, [`${method} /jars HTTP/1.1`, "Host: localhost"]);
    if (isDeno) expectRefused(answer, 400, "invalid-input");
    else expectRefused(answer, 501, "method-unknown");
  });

  it("OPTIONS for the whole server is answered", async () => {
    expect(await exchange(app.url, ["OPTIONS * HTTP/1.1", "Host: localhost"])).toMatch(/^HTTP\/1.1 204 /);
  });
});

describe("A request that cannot be read", () => {
  it.each([
    ["no HTTP at all", ["GET /jars NONSENSE/1"], 400, "invalid-input"],
    ["a backslash in the path", ["GET /jars\\x HTTP/1.1", "Host: localhost"], 400, "invalid-input"],
    ["a host that is none", ["GET /jars HTTP/1.1", "Host: a b"], 400, "invalid-input"],
    ["two lengths", [...POST, "Content-Length: 3"], 400, "invalid-input"],
    ["a length and chunks", [...POST, "Transfer-Encoding: chunked"], 400, "invalid-input"],
    [
      "20 kB of headers",
      ["GET /jars HTTP/1.1", "Host: localhost", `X: ${"x".repeat(20_000)}`],
      431,
      "headers-too-large",
    ],
  ])("is a problem: %s", async (_, head, status, code) => {
    expectRefused(await exchange(app.url, head), status, code);
  });
});

// Deno (2.9.5) does not tell that the connection is gone.
describe.skipIf(isDeno)("A client that hangs up while sending", () => {
  let records: LogRecord[];
  beforeEach(() => {
    records = [];
    configureLogging("debug", (record) => void records.push(record));
  });
  afterEach(() => configureLogging("fatal", () => {}));

  it.each([
    ["a body with a length", "Content-Length: 1000", `{"label":`],
    ["a body in chunks", "Transfer-Encoding: chunked", `5\r\n{"lab\r\n`],
    ["nothing of the body yet", "Content-Length: 1000", ""],
  ])("is no error of the server: %s", async (_, length, sent) => {
    const raw = connectRaw(app.url);
    const head = ["POST /jars HTTP/1.1", "Host: localhost", "Content-Type: application/json", length];
    raw.send([...head, "", sent].join("\r\n"));
    await until("the server has the head", () => raw.socket.bytesWritten > 0);
    await app.get("/health");
    raw.socket.resetAndDestroy();
    await until(
      "the log has it",
      () =>
        records.some(({ level, message }) => level === "debug" && message.includes("the client has gone")),
    );
    await until(
      "the answer is given up",
      () => records.some(({ message }) => message.startsWith("POST /jars")),
    );
    expect(records.filter(({ level }) => level === "error" || level === "warn")).toEqual([]);
  });
});
