import { Validator } from "@seriousme/openapi-schema-validator";
import { beforeAll, describe, expect, it } from "vitest";
import { createApp } from "../../src/compose.ts";

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
type Paths = Record<string, Record<string, Operation>>;

const app = createApp();
let document: { openapi: string; paths: Paths };
beforeAll(async () => {
  const response = await app.request("/openapi.json");
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
const parametersOf = (name: string) => operationOf(name).parameters.map(({ name }) => name).toSorted();

describe("GET /openapi.json", () => {
  it("is valid OpenAPI 3.1", async () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    expect(await new Validator().validate(structuredClone(document))).toEqual({ valid: true });
  });

  it("describes every route", () => {
    const routes = app.routes
      .filter(({ method, path }) => method !== "ALL" && path !== "/openapi.json")
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`);
    expect(routes).toContain("POST /orders/{id}/cancel");
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

  it("names the parameters of queries", () => {
    expect(parametersOf("GET /orders")).toEqual([
      "Consistency-Token",
      "Prefer",
      "after",
      "customerId",
      "limit",
      "status",
    ]);
    expect(parametersOf("GET /orders/{id}")).toEqual(["Consistency-Token", "Prefer", "consistency", "id"]);
    expect(parametersOf("GET /sales/daily")).toEqual(["Consistency-Token", "Prefer", "from", "to"]);
    for (const { name, operation } of operations()) {
      const optional = operation.parameters.filter((parameter) => parameter.in !== "path");
      expect(optional.filter(({ required }) => required), name).toEqual([]);
    }
  });

  it("names the headers and the rejections of commands", () => {
    expect(parametersOf("POST /orders/{id}/cancel")).toEqual(["Idempotency-Key", "If-Match", "id"]);
    expect(parametersOf("POST /products/{id}/stock")).toEqual(["Idempotency-Key", "id"]);
    expect(parametersOf("POST /orders")).toEqual(["Idempotency-Key"]);
    expect(operationOf("POST /orders").responses["422"]?.description).toMatch(
      /unknown-customer.*unknown-product/,
    );
    expect(operationOf("POST /orders/{id}/cancel").responses["422"]?.description).toContain(
      "order-not-cancellable",
    );
    expect(operationOf("POST /orders/{id}/ship").responses["422"]?.description).toContain(
      "order-not-confirmed",
    );
  });

  it("shows what a command takes and answers", () => {
    const { requestBody, responses } = operationOf("POST /products");
    expect(requestBody?.content["application/json"]?.schema).toMatchObject({
      required: ["name", "priceCents"],
      additionalProperties: false,
      properties: { name: { type: "string", maxLength: 200 }, priceCents: { type: "integer", minimum: 0 } },
    });
    expect(Object.keys(responses["201"]?.content?.["application/json"]?.schema.properties ?? {})).toEqual([
      "id",
      "version",
      "token",
    ]);
  });

  it("shows every field of an order", () => {
    const schema = operationOf("GET /orders/{id}").responses["200"]?.content?.["application/json"]?.schema;
    expect(schema?.required).toEqual(
      ["id", "customerId", "status", "reason", "totalCents", "lines", "placedAt", "version"],
    );
  });
});
