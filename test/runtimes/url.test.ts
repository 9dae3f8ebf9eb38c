import { describe, expect, it } from "vitest";
import { useTestDatabase } from "../support/database.ts";
import { runtime, useRuntime } from "../support/runtime.ts";
import { hasPlatform } from "./runtimes.ts";

const test = useTestDatabase({ jars: true });

// The driver for Workers would wait for ever for a server without TLS.
describe.skipIf(runtime !== undefined || !hasPlatform("cloudflare"))("A Worker", () => {
  const worker = useRuntime(
    () => ({ ...test.urls, command: `${test.urls.command}?sslmode=prefer&connection_limit=1` }),
    { RELAY: "off" },
    { name: "workerd", entries: "test/jars" },
  );

  it("that prefers TLS takes a server that has none", async () => {
    expect((await worker.fetch("/ready")).status).toBe(200);
  });
});
