import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { runtimes } from "./runtimes.ts";

/** The tests over HTTP, against the program as it runs on each runtime. */
export default defineConfig({
  root: fileURLToPath(new URL("../..", import.meta.url)),
  test: {
    globalSetup: ["test/support/server.ts", "test/runtimes/setup.ts"],
    maxWorkers: 2,
    projects: Object.keys(runtimes).map((name) => ({
      test: {
        name,
        include: ["test/http/**/*.test.ts", "test/journeys/**/*.test.ts", "test/runtimes/**/*.test.ts"],
        env: { TEST_RUNTIME: name },
        pool: "forks" as const,
        // They share nothing but modules, and most of the time is spent on loading those.
        isolate: false,
        testTimeout: 30_000,
        hookTimeout: 60_000,
      },
    })),
  },
});
