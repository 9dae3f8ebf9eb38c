import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createHttp } from "../../src/compose.ts";
import { configureLogging, type LogRecord } from "../../src/logging.ts";
import { app as jars } from "../jars/app.ts";
import { useTestApp } from "../support/app.ts";
import { runtime } from "../support/runtime.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const app = useTestApp();
const honey = { label: "Honey" };

const metadataOf = async (stream: string) =>
  (await app.database.owner.selectFrom("write.events").select("metadata").where("stream", "=", stream)
    .executeTakeFirstOrThrow()).metadata;

describe("A request id", () => {
  it.each([
    ["GET", "/jars", 200],
    ["GET", `/jars/${randomUUID()}`, 404],
    ["GET", "/nowhere", 404],
    ["GET", "/jars?limit=x", 400],
    ["POST", "/jars", 400],
    ["POST", "/ops/relay/drain", 401],
    ["GET", "/health", 200],
    ["GET", "/ready", 200],
    ["GET", "/openapi.json", 200],
    ["GET", "/docs", 200],
    ["GET", "/", 302],
  ])("is on the answer to %s %s", async (method, path, status) => {
    const answer = await (method === "GET" ? app.get(path) : app.post(path));
    expect({ status: answer.status, id: answer.headers.get("x-request-id") }).toEqual({
      status,
      id: expect.stringMatching(UUID),
    });
  });

  it("is another one for every request", async () => {
    const ids = await Promise.all(
      Array.from({ length: 20 }, async () => (await app.get("/health")).headers.get("x-request-id")),
    );
    expect(new Set(ids).size).toBe(20);
  });

  it("is the correlation id of the events that follow", async () => {
    const { headers, body } = await app.post("/jars", honey);
    expect(await metadataOf(`jar-${body.id}`)).toEqual({
      actor: "anonymous",
      correlationId: headers.get("x-request-id"),
      causationId: null,
    });
  });

  it("is not the caller's, but the log keeps the caller's aside", async () => {
    const records: LogRecord[] = [];
    configureLogging("info", (record) => void records.push(record));
    const { headers, body } = await app.post("/jars", honey, { "x-request-id": "trace-1" });
    configureLogging("fatal", () => {});
    const id = headers.get("x-request-id");
    expect(id).toMatch(UUID);
    expect(await metadataOf(`jar-${body.id}`)).toMatchObject({ correlationId: id });
    if (!runtime) {
      expect(records.map(({ properties }) => properties)).toEqual([
        expect.objectContaining({ requestId: id, givenRequestId: "trace-1" }),
      ]);
    }
  });
});

describe("Behind a trusted proxy, a request id", () => {
  const trusting = createHttp(jars, { trustsProxy: true });
  const idOf = async (given: string) => {
    const answer = await trusting.request("/health", { headers: { "x-request-id": given } });
    return answer.headers.get("x-request-id");
  };

  it("is the proxy's", async () => {
    expect(await idOf("trace-1")).toBe("trace-1");
  });

  it.each(["", "a b", `"}{`, "x".repeat(256), "é", "<script>"])("is a new one instead of %j", async (id) => {
    expect(await idOf(id)).toMatch(UUID);
  });
});
