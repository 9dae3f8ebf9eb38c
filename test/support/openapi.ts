import { Validator } from "@seriousme/openapi-schema-validator";
import { beforeAll, expect, it } from "vitest";
import { type App, createHttp } from "../../src/compose.ts";

interface Operation {
  summary?: string;
  parameters: { name: string; in: string; required: boolean; schema: object }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: Schema }> }>;
}

interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean;
}

type OpenApi = {
  openapi: string;
  info: object;
  paths: Record<string, Record<string, Operation>>;
};

/** Declares tests for any app: the OpenAPI document is complete. Returns access to the document. */
export function itIsDescribed(app: App) {
  const http = createHttp(app);
  let document: OpenApi;
  beforeAll(async () => {
    const response = await http.request("/openapi.json");
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    document = await response.json();
  });

  const operations = () =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        name: `${method.toUpperCase()} ${path}`,
        path,
        operation,
      }))
    );
  const operationOf = (name: string) => operations().find((operation) => operation.name === name)!.operation;

  it("is valid OpenAPI 3.1", async () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    expect(document.info).toEqual(app.info);
    expect(await new Validator().validate(structuredClone(document))).toEqual({ valid: true });
  });

  it("describes every route", () => {
    const routes = http.routes
      .filter(({ method, path }) => method !== "ALL" && path !== "/openapi.json")
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`);
    expect(routes).toContain("POST /ops/relay/drain");
    expect(operations().map(({ name }) => name).toSorted()).toEqual([...new Set(routes)].toSorted());
  });

  it("says of every operation what it is for, what it answers, and what a problem looks like", () => {
    for (const { name, operation } of operations()) {
      expect(operation.summary, name).toMatch(/^[A-Z]/);
      expect(Object.keys(operation.responses).filter((status) => /^2\d\d$/.test(status)), name).not.toEqual(
        [],
      );
      expect(Object.keys(operation.responses.default?.content ?? {}), name).toEqual([
        "application/problem+json",
      ]);
    }
  });

  it("names the parameters of a path", () => {
    for (const { name, path, operation } of operations()) {
      const given = operation.parameters.filter((parameter) => parameter.in === "path");
      expect(given.map((parameter) => `{${parameter.name}}`), name).toEqual(path.match(/\{\w+\}/g) ?? []);
      expect(given.every(({ required }) => required), name).toBe(true);
    }
  });

  it("requires no parameter besides those of a path", () => {
    for (const { name, operation } of operations()) {
      const optional = operation.parameters.filter((parameter) => parameter.in !== "path");
      expect(optional.filter(({ required }) => required), name).toEqual([]);
    }
  });

  return {
    operationOf,
    parametersOf: (name: string) => operationOf(name).parameters.map(({ name }) => name).toSorted(),
    /** Returns the codes of the 422 problems, as text. */
    rejectionsOf: (name: string) => operationOf(name).responses["422"]?.description,
    /** Returns the shape of the answer. */
    answerOf: (name: string, status: 200 | 201) =>
      operationOf(name).responses[status]?.content?.["application/json"]?.schema,
  };
}
