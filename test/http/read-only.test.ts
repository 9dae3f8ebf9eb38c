import { expect, it } from "vitest";
import { createHttp } from "../../src/compose.ts";
import { app as jars } from "../jars/app.ts";
import { toAnswer, useTestApp } from "../support/app.ts";
import { expectProblem } from "../support/problem.ts";

const app = useTestApp();

it("A database made read-only answers queries, and 503 to commands", async () => {
  const test = app.database;
  await test.driver(test.urls.owner).unsafe(
    `alter database "${test.name}" set default_transaction_read_only = on`,
  );
  const databases = { commands: test.open(test.urls.command), queries: test.open(test.urls.query) };
  const http = createHttp(jars);
  const request = async (path: string, init: RequestInit = {}) =>
    await toAnswer(await http.request(path, init, { databases, relay: app.relay }));

  const headers = { "content-type": "application/json" };
  const refused = await request("/jars", {
    method: "POST",
    headers,
    body: JSON.stringify({ label: "Honey" }),
  });
  expectProblem(refused, 503, "database-unavailable");
  expect((await request("/jars")).status).toBe(200);
});
