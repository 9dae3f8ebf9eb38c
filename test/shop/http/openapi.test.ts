import { describe, expect, it } from "vitest";
import { app } from "../../../src/app.ts";
import { itIsDescribed } from "../../support/openapi.ts";

describe("GET /openapi.json of the shop", () => {
  const { operationOf, parametersOf, rejectionsOf, answerOf } = itIsDescribed(app);

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
  });

  it("names the headers and the rejections of commands", () => {
    expect(parametersOf("POST /orders/{id}/cancel")).toEqual(["Idempotency-Key", "If-Match", "id"]);
    expect(parametersOf("POST /products/{id}/stock")).toEqual(["Idempotency-Key", "id"]);
    expect(parametersOf("POST /orders")).toEqual(["Idempotency-Key"]);
    expect(rejectionsOf("POST /orders")).toMatch(/unknown-customer.*unknown-product/);
    expect(rejectionsOf("POST /orders/{id}/cancel")).toContain("order-not-cancellable");
    expect(rejectionsOf("POST /orders/{id}/ship")).toContain("order-not-confirmed");
  });

  it("shows what a command takes and answers", () => {
    expect(operationOf("POST /products").requestBody?.content["application/json"]?.schema).toMatchObject({
      required: ["name", "priceCents"],
      additionalProperties: false,
      properties: { name: { type: "string", maxLength: 200 }, priceCents: { type: "integer", minimum: 0 } },
    });
    expect(Object.keys(answerOf("POST /products", 201)?.properties ?? {})).toEqual([
      "id",
      "version",
      "token",
    ]);
  });

  it("shows every field of an order", () => {
    expect(answerOf("GET /orders/{id}", 200)?.required).toEqual(
      ["id", "customerId", "status", "reason", "totalCents", "lines", "placedAt", "version"],
    );
  });
});
