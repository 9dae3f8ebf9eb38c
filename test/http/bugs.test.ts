import { sql } from "kysely";
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createHttp } from "../../src/compose.ts";
import { configureLogging, type LogRecord } from "../../src/logging.ts";
import { app as jars } from "../jars/app.ts";
import { type Answer, toAnswer, useTestApp } from "../support/app.ts";
import { runtime } from "../support/runtime.ts";
import { expectProblem } from "../support/problem.ts";

const SECRET = "a label that nobody else may read";

const app = useTestApp();
let log: LogRecord[];

beforeEach(() => {
  log = [];
  configureLogging("trace", (record) => void log.push(record));
});
afterEach(() => configureLogging("fatal", () => {}));

const everythingSaid = ({ headers, body }: Answer) => JSON.stringify([[...headers], body]);
const logged = () =>
  log.map(({ message, properties }) =>
    JSON.stringify(
      [message, properties],
      (_, value) => value instanceof Error ? { ...value, message: value.message, stack: value.stack } : value,
    )
  );

describe("A bug", () => {
  beforeAll(async () => {
    await sql`alter table write.jars rename to elsewhere`.execute(app.database.owner);
    await sql`alter table read.jar_details rename to elsewhere`.execute(app.database.owner);
  });
  afterAll(async () => {
    await sql`alter table write.elsewhere rename to jars`.execute(app.database.owner);
    await sql`alter table read.elsewhere rename to jar_details`.execute(app.database.owner);
  });

  it.each([
    ["command", () => app.post("/jars", { label: SECRET })],
    ["query", () => app.get(`/jars/${randomUUID()}`)],
    ["list", () => app.get("/jars")],
  ])("in a %s is a problem that says nothing of the inside", async (_, ask) => {
    const answer = await ask();
    expectProblem(answer, 500, "internal-error");
    expect(answer.body).not.toHaveProperty("errors");
    expect(everythingSaid(answer)).not.toMatch(
      /select|insert|jars|jar_details|relation|42P01|kysely|\.ts/,
    );
  });

  it.skipIf(runtime)("stands in the log under the id in the answer", async () => {
    const { headers, body } = await app.get("/jars");
    const id = headers.get("x-request-id")!;
    expect(body.detail).toContain(id);
    expect(log.filter(({ level, properties }) => level === "error" && properties.requestId === id))
      .toHaveLength(1);
    expect(logged().join("\n")).toContain("42P01");
  });

  it("does not put what was sent into the log", async () => {
    expect((await app.post("/jars", { label: SECRET })).status).toBe(500);
    expect(logged().join("\n")).not.toContain(SECRET);
    expect(logged().join("\n")).not.toMatch(/insert into/);
  });
});

describe("A problem that is no bug", () => {
  it("is not logged as one", async () => {
    for (const path of ["/nowhere", "/jars?limit=x", `/jars/${randomUUID()}`]) await app.get(path);
    await app.post("/jars", "x".repeat(300_000));
    await app.get("/ops/relay", { authorization: "Basic b3A6b3A=" });
    expect(log.filter(({ level }) => level === "error")).toEqual([]);
  });
});

describe("A database that is not there", () => {
  it("is a problem that passes", async () => {
    const nowhere = app.database.open("postgres://nobody:secret@127.0.0.1:1/nothing", { max: 1 });
    const parts = { databases: { commands: nowhere, queries: nowhere }, relay: app.relay };
    const lost = (path: string) => createHttp(jars).request(path, {}, parts);
    for (const path of ["/jars", `/jars/${randomUUID()}`, "/ready"]) {
      const answer = await toAnswer(await lost(path));
      expectProblem(answer, 503, "database-unavailable");
      expect(everythingSaid(answer)).not.toMatch(/127\.0\.0\.1|ECONNREFUSED|secret|nobody/);
    }
    expect((await lost("/health")).status).toBe(200);
  });
});
