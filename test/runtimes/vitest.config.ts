import { fileURLToPath } from "node:url";
import process from "node:process";
import { defineConfig } from "vitest/config";
import { runtimes } from "./runtimes.ts";

const common = { pool: "forks" as const, testTimeout: 30_000, hookTimeout: 60_000 };

const JOURNEYS = ["test/shop/journeys/**/*.test.ts"];

/** True for Node in CI: `npm run check` runs the HTTP tests on the same Node, in the tests' process. */
function isRunBefore(name: string): boolean {
  return name === "node" && Boolean(process.env.CI);
}

/** Runs the tests over HTTP against the program on each runtime, and the tests of the platforms. */
export default defineConfig({
  root: fileURLToPath(new URL("../..", import.meta.url)),
  test: {
    globalSetup: ["test/support/server.ts", "test/runtimes/setup.ts"],
    maxWorkers: 3,
    projects: [
      {
        test: {
          ...common,
          name: "platforms",
          include: ["test/runtimes/*.test.ts", "test/shop/runtimes/*.test.ts"],
        },
      },
      ...Object.keys(runtimes).map((name) => ({
        test: {
          ...common,
          name,
          include: isRunBefore(name)
            ? JOURNEYS
            : ["test/http/**/*.test.ts", "test/shop/http/**/*.test.ts", ...JOURNEYS],
          env: { TEST_RUNTIME: name },
          // The test files share only modules, and loading modules takes most of the time.
          isolate: false,
        },
      })),
    ],
  },
});
