import { expect } from "vitest";
import type { Answer } from "./app.ts";

const TITLES: Record<number, string> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  412: "Precondition Failed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** Expects a complete problem (RFC 9457) with the status, the code and the pointers into the input. */
export function expectProblem(
  { status, headers, body }: Answer,
  expected: number,
  code: string,
  pointers?: string[],
) {
  const { errors, ...problem } = body;
  expect({ status, ...problem }).toEqual({
    type: "about:blank",
    title: TITLES[expected],
    status: expected,
    detail: expect.stringMatching(/./),
    instance: `urn:request:${headers.get("x-request-id")}`,
    code,
  });
  expect(status).toBe(expected);
  expect(headers.get("content-type")).toBe("application/problem+json");
  if ([429, 503].includes(expected)) expect(headers.get("retry-after")).toMatch(/^\d+$/);
  if (pointers) {
    for (const error of errors) {
      expect(error).toEqual({ pointer: expect.any(String), detail: expect.any(String) });
    }
    expect([...new Set(errors.map(({ pointer }: { pointer: string }) => pointer))]).toEqual(pointers);
  }
}
