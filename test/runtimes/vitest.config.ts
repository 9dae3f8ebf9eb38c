import { fileURLToPath } from "node:url";
import process from "node:process";
import { defineConfig } from "vitest/config";
import { runtimes } from "./runtimes.ts";

const common = { pool: "forks" as const, testTimeout: 30_000, hookTimeout: 60_000 };

const JOURNEYS = ["test/journeys/**/*.test.ts"];

/** In CI, `npm run check` runs the rest on this Node, in the process of the tests. */
function isRunBefore(name: string): boolean {
  return name === "node" && Boolean(process.env.CI);
}

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
          include: isRunBefore(name) ? JOURNEYS : ["test/http/**/*.test.ts", ...JOURNEYS],
          env: { TEST_RUNTIME: name },
          // They share nothing but modules, and most of the time is spent on loading those.
          isolate: false,
        },
      })),
    ],
  },
});
