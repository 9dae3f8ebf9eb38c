import { describe, expect, it } from "vitest";
import { commandOperation } from "../../src/http/carry-out.ts";
import { path } from "../../src/http/input.ts";
import { byId } from "../../src/shapes.ts";
import { app as jars } from "../jars/app.ts";
import { itIsDescribed } from "../support/openapi.ts";

/** The jars, and a command that heeds no `If-Match`. */
const app = {
  ...jars,
  commands: () =>
    jars.commands().post(
      "/jars/:id/shake",
      commandOperation("Shake a jar", { ifMatch: false }),
      path(byId),
      (c) => c.body(null),
    ),
};

describe("GET /openapi.json", () => {
  const { operationOf, parametersOf, rejectionsOf, answerOf } = itIsDescribed(app);

  it("names the parameters of queries", () => {
    expect(parametersOf("GET /jars")).toEqual(["Consistency-Token", "Prefer", "after", "label", "limit"]);
    expect(parametersOf("GET /jars/{id}")).toEqual(["Consistency-Token", "Prefer", "consistency", "id"]);
    expect(parametersOf("GET /grams")).toEqual(["Consistency-Token", "Prefer"]);
  });

  it("names the headers and the rejections of commands", () => {
    expect(parametersOf("POST /jars/{id}/fill")).toEqual(["Idempotency-Key", "If-Match", "id"]);
    expect(parametersOf("POST /jars/{id}/shake")).toEqual(["Idempotency-Key", "id"]);
    expect(parametersOf("POST /jars")).toEqual(["Idempotency-Key"]);
    expect(rejectionsOf("POST /jars/{id}/fill")).toBe("Rejected: jar-sealed, jar-overfull");
    expect(rejectionsOf("POST /jars")).toBeUndefined();
  });

  it("shows what a command takes and answers", () => {
    expect(operationOf("POST /jars").requestBody?.content["application/json"]?.schema).toMatchObject({
      required: ["label"],
      additionalProperties: false,
      properties: { label: { type: "string", maxLength: 50 } },
    });
    expect(operationOf("POST /jars/{id}/fill").requestBody?.content["application/json"]?.schema)
      .toMatchObject({
        required: ["grams"],
        additionalProperties: false,
        properties: { grams: { type: "integer", minimum: 0, maximum: 2_000 } },
      });
    for (const answer of [answerOf("POST /jars", 201), answerOf("POST /jars/{id}/fill", 200)]) {
      expect(Object.keys(answer?.properties ?? {})).toEqual(["id", "version", "token"]);
    }
  });

  it("shows every field of a jar", () => {
    expect(answerOf("GET /jars/{id}", 200)?.required).toEqual(["id", "label", "grams", "version"]);
  });

  it("shows a page: the items, and the way to the next page", () => {
    expect(answerOf("GET /jars", 200)).toMatchObject({
      required: ["items", "next"],
      properties: { items: { type: "array", items: answerOf("GET /jars/{id}", 200) } },
    });
  });
});
