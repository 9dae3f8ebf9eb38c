import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createHttp } from "../../src/compose.ts";
import type { Resources } from "../../src/http/env.ts";
import { operation } from "../../src/http/openapi.ts";
import { app as jars } from "../jars/app.ts";
import { toAnswer, useTestApp } from "../support/app.ts";
import { expectProblem } from "../support/problem.ts";

const app = useTestApp();

/** The jars, and a GET among the commands: the method does not tell the parts apart. */
const withLids = {
  ...jars,
  commands: () =>
    jars.commands().get(
      "/lids/:id",
      operation({ summary: "A lid", answers: { 200: null } }),
      (c) => c.json({ id: c.req.param("id") }),
    ),
};

const COMMANDS = ["POST /jars", `POST /jars/${randomUUID()}/fill`, `GET /lids/${randomUUID()}`];
const QUERIES = ["GET /jars", `GET /jars/${randomUUID()}`, "GET /grams"];

describe.each(
  [
    {
      serve: "commands",
      served: COMMANDS,
      refused: QUERIES,
      described: ["GET /lids/{id}", "POST /jars", "POST /jars/{id}/fill"],
    },
    {
      serve: "queries",
      served: QUERIES,
      refused: COMMANDS,
      described: ["GET /grams", "GET /jars", "GET /jars/{id}"],
    },
  ] as const,
)("an app that serves $serve only", ({ serve, served, refused, described }) => {
  const part = createHttp(withLids, { serve });
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
    const api = documented.filter((route) => !/ \/(ops|health|ready)/.test(route));
    expect(api.toSorted()).toEqual(described);
    expect(documented).toContain("GET /ready");
  });

  it("is healthy and ready", async () => {
    expect((await request("GET /health")).status).toBe(200);
    expect((await request("GET /ready")).status).toBe(200);
    expect((await request("GET /ops/relay")).status).toBe(401);
  });
});
