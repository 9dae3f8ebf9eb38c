import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { useTestApp } from "../support/app.ts";

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

  it("may be the caller's", async () => {
    const { headers, body } = await app.post("/jars", honey, { "x-request-id": "trace-1" });
    expect(headers.get("x-request-id")).toBe("trace-1");
    expect(await metadataOf(`jar-${body.id}`)).toMatchObject({ correlationId: "trace-1" });
  });

  it.each(["", "a b", `"}{`, "x".repeat(256), "é", "<script>"])(
    "is not the caller's when it is %j",
    async (id) => {
      const { headers } = await app.post("/jars", honey, { "x-request-id": id });
      expect(headers.get("x-request-id")).toMatch(UUID);
    },
  );
});
