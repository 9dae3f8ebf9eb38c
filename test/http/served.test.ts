import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createApp } from "../../src/compose.ts";
import type { Resources } from "../../src/http/env.ts";
import { toAnswer, useTestApp } from "../support/app.ts";
import { expectProblem } from "../support/problem.ts";

const app = useTestApp();

const COMMANDS = ["POST /products", `POST /orders/${randomUUID()}/cancel`, `GET /customers/${randomUUID()}`];
const QUERIES = ["GET /products", `GET /orders/${randomUUID()}`, `GET /orders/${randomUUID()}/progress`];

describe.each(
  [
    { serve: "commands", served: COMMANDS, refused: QUERIES },
    { serve: "queries", served: QUERIES, refused: COMMANDS },
  ] as const,
)("an app that serves $serve only", ({ serve, served, refused }) => {
  const part = createApp({ serve });
  /** Returns only the resources needed by the part. */
  const parts = () => {
    const { command, query } = app.database;
    return {
      databases: serve === "commands" ? { commands: command } : { queries: query },
      relay: app.relay,
    } as unknown as Resources;
  };
  const request = async (route: string) => {
    const [method, path] = route.split(" ") as [string, string];
    return await toAnswer(await part.request(path, { method }, parts()));
  };

  it.each(refused)("answers 404 to %s, and says why", async (route) => {
    const answer = await request(route);
    expectProblem(answer, 404, "not-found");
    expect(answer.body.detail).toBe(
      `Cannot find ${route} here: this process serves ${serve} only`,
    );
  });

  it.each(served)("answers %s", async (route) => {
    const { body } = await request(route);
    expect(body.detail ?? "").not.toContain("this process serves");
  });

  it("documents that only", async () => {
    const { body } = await request("GET /openapi.json");
    const documented = Object.entries<object>(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)
    );
    const isCommand = (route: string) => /^(POST|PUT|DELETE) \/(?!ops)|customers/.test(route);
    const api = documented.filter((route) => !/ \/(ops|health|ready)/.test(route));
    expect(api.length).toBeGreaterThan(5);
    expect(api.filter((route) => isCommand(route) !== (serve === "commands"))).toEqual([]);
    expect(documented).toContain("GET /ready");
  });

  it("is healthy and ready", async () => {
    expect((await request("GET /health")).status).toBe(200);
    expect((await request("GET /ready")).status).toBe(200);
    expect((await request("GET /ops/relay")).status).toBe(401);
  });
});
