import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { newJar } from "../jars/http.ts";
import { OPS_TOKEN, toAnswer, useTestApp } from "../support/app.ts";
import { expectProblem } from "../support/problem.ts";

const app = useTestApp();

const headers = { authorization: `Bearer ${OPS_TOKEN}` };
const ask = async (method: string, path: string) =>
  await toAnswer(await app.fetch(path, { method, headers }));

/** Every route of the OpenAPI document, with a path to ask: the paths name a jar that is not there. */
const routes = async () => {
  const { paths } = (await app.get("/openapi.json")).body as {
    paths: Record<string, Record<string, object>>;
  };
  return Object.entries(paths).map(([path, operations]) => ({
    path: path.replace("{id}", randomUUID()),
    methods: Object.keys(operations).map((method) => method.toUpperCase()),
  }));
};

const allowed = (methods: string[]) =>
  [...methods, "OPTIONS", ...methods.includes("GET") ? ["HEAD"] : []].toSorted().join(", ");

describe("Every path", () => {
  it("answers 405 to methods that it does not have, and names those that it has", async () => {
    for (const { path, methods } of await routes()) {
      for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"]) {
        if (methods.includes(method) || (method === "HEAD" && methods.includes("GET"))) continue;
        const answer = await ask(method, path);
        expect({ method, path, status: answer.status, allow: answer.headers.get("allow") })
          .toEqual({ method, path, status: 405, allow: allowed(methods) });
        if (method !== "HEAD") expectProblem(answer, 405, "method-not-allowed");
      }
    }
  });

  it("answers OPTIONS with its methods", async () => {
    for (const { path, methods } of await routes()) {
      const { status, headers, body } = await ask("OPTIONS", path);
      expect({ path, status, allow: headers.get("allow"), body })
        .toEqual({ path, status: 204, allow: allowed(methods), body: "" });
    }
  });

  it("answers HEAD as GET, without a body", async () => {
    const { id } = await newJar(app);
    await app.drained();
    for (
      const path of [`/jars/${id}`, "/jars", "/health", "/ready", "/openapi.json", "/docs", "/ops/relay"]
    ) {
      const [get, head] = [await ask("GET", path), await ask("HEAD", path)];
      expect({ path, status: head.status, body: head.body }).toEqual({ path, status: get.status, body: "" });
      expect(head.headers.get("content-type")).toBe(get.headers.get("content-type"));
    }
    expect(await ask("HEAD", `/jars/${randomUUID()}`)).toMatchObject({ status: 404, body: "" });
  });

  it("is another with a slash at its end", async () => {
    for (const path of ["/jars/", "/health/", `/jars/${randomUUID()}/`]) {
      expectProblem(await ask("GET", path), 404, "not-found");
    }
  });
});

it.each(["DELETE", "OPTIONS", "PROPFIND"])("An unknown path answers 404 to %s", async (method) => {
  expectProblem(await ask(method, "/nowhere"), 404, "not-found");
});
