import { sql } from "kysely";
import { randomUUID } from "node:crypto";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createApp } from "../../src/compose.ts";
import { configureLogging, type LogRecord } from "../../src/logging.ts";
import { type Answer, toAnswer, useTestApp } from "../support/app.ts";
import { runtime } from "../support/runtime.ts";
import { expectProblem } from "../support/problem.ts";

const SECRET = "a name that nobody else may read";

const app = useTestApp();
let log: LogRecord[];

beforeAll(async () => {
  const break_ = sql`alter table write.products rename to elsewhere; drop table read.order_details`;
  for (const statement of break_.compile(app.database.owner).sql.split(";")) {
    await sql.raw(statement).execute(app.database.owner);
  }
});
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
  it.each([
    ["command", () => app.post("/products", { name: SECRET, priceCents: 1 })],
    ["query", () => app.get(`/orders/${randomUUID()}`)],
    ["list", () => app.get("/orders")],
  ])("in a %s is a problem that says nothing of the inside", async (_, ask) => {
    const answer = await ask();
    expectProblem(answer, 500, "internal-error");
    expect(answer.body).not.toHaveProperty("errors");
    expect(everythingSaid(answer)).not.toMatch(
      /select|insert|products|order_details|relation|42P01|kysely|\.ts/,
    );
  });

  it.skipIf(runtime)("stands in the log under the id in the answer", async () => {
    const { headers, body } = await app.get("/orders");
    const id = headers.get("x-request-id")!;
    expect(body.detail).toContain(id);
    expect(log.filter(({ level, properties }) => level === "error" && properties.requestId === id))
      .toHaveLength(1);
    expect(logged().join("\n")).toContain("42P01");
  });

  it("does not put what was sent into the log", async () => {
    expect((await app.post("/products", { name: SECRET, priceCents: 1 })).status).toBe(500);
    expect(logged().join("\n")).not.toContain(SECRET);
    expect(logged().join("\n")).not.toMatch(/insert into/);
  });
});

describe("A problem that is no bug", () => {
  it("is not logged as one", async () => {
    for (const path of ["/nowhere", "/products?limit=x", `/products/${randomUUID()}`]) await app.get(path);
    await app.post("/products", "x".repeat(300_000));
    await app.get("/ops/relay", { authorization: "Basic b3A6b3A=" });
    expect(log.filter(({ level }) => level === "error")).toEqual([]);
  });
});

describe("A database that is not there", () => {
  it("is a problem that passes", async () => {
    const nowhere = app.database.open("postgres://nobody:secret@127.0.0.1:1/nothing", { max: 1 });
    const parts = { databases: { commands: nowhere, queries: nowhere }, relay: app.relay };
    const lost = (path: string) => createApp().request(path, {}, parts);
    for (const path of ["/products", `/customers/${randomUUID()}`, "/ready"]) {
      const answer = await toAnswer(await lost(path));
      expectProblem(answer, 503, "database-unavailable");
      expect(everythingSaid(answer)).not.toMatch(/127\.0\.0\.1|ECONNREFUSED|secret|nobody/);
    }
    expect((await lost("/health")).status).toBe(200);
  });
});
