import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createHttp } from "../../src/compose.ts";
import { app as jars } from "../jars/app.ts";
import { OPS_TOKEN, useTestApp } from "../support/app.ts";

const app = useTestApp();
const authorization = `Bearer ${OPS_TOKEN}`;

describe("Every answer", () => {
  it.each([
    ["GET", "/jars", 200],
    ["POST", "/jars", 400],
    ["GET", `/jars/${randomUUID()}`, 404],
    ["DELETE", "/jars", 405],
    ["OPTIONS", "/jars", 204],
    ["GET", "/nowhere", 404],
    ["GET", "/health", 200],
    ["GET", "/ops/relay", 200],
    ["GET", "/openapi.json", 200],
    ["GET", "/", 302],
  ])(
    "is kept by nobody, framed by nobody, and nothing but what it says: %s %s",
    async (method, path, status) => {
      const answer = await app.fetch(path, { method, headers: { authorization } });
      expect(answer.status).toBe(status);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        "cache-control": "no-store",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
      });
    },
  );
});

describe("/docs", () => {
  it("loads files of this host only, runs nothing inline, and is framed by nobody", async () => {
    const { headers, body } = await app.get("/docs");
    const policy = headers.get("content-security-policy")!;
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(body).not.toMatch(/<script>|<style|style=| on\w+=/);
  });

  it.each(["swagger-ui.css", "swagger-ui-bundle.js", "start.js"])(
    "has a file that clients keep: %s",
    async (file) => {
      const { status, headers } = await app.fetch(`/docs/${file}`, {});
      expect({ status, kept: headers.get("cache-control") }).toEqual({
        status: 200,
        kept: "public, max-age=86400",
      });
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("content-type")).toMatch(file.endsWith("css") ? /^text\/css/ : /^text\/javascript/);
    },
  );

  it("is not there without its pages", async () => {
    const without = createHttp(jars);
    for (const path of ["/", "/docs", "/docs/start.js", "/docs/swagger-ui.css"]) {
      expect((await without.request(path)).status).toBe(404);
    }
  });
});
