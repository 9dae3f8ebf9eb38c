import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { runtimes } from "./runtimes.ts";

const common = { pool: "forks" as const, testTimeout: 30_000, hookTimeout: 60_000 };

/** The tests over HTTP, against the program as it runs on each runtime, and what is only to be tested there. */
export default defineConfig({
  root: fileURLToPath(new URL("../..", import.meta.url)),
  test: {
    globalSetup: ["test/support/server.ts", "test/runtimes/setup.ts"],
    maxWorkers: 3,
    projects: [
      { test: { ...common, name: "platforms", include: ["test/runtimes/*.test.ts"] } },
      ...Object.keys(runtimes).map((name) => ({
        test: {
          ...common,
          name,
          include: ["test/http/**/*.test.ts", "test/journeys/**/*.test.ts"],
          env: { TEST_RUNTIME: name },
          // They share nothing but modules, and most of the time is spent on loading those.
          isolate: false,
        },
      })),
    ],
  },
});
