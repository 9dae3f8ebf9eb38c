import { fileURLToPath } from "node:url";
import process from "node:process";
import { defineConfig } from "vitest/config";
import { runtimeNames } from "./runtimes.ts";

const common = {
  pool: "forks" as const,
  testTimeout: 60_000,
  hookTimeout: 120_000,
};

const JOURNEYS = ["test/shop/journeys/**/*.test.ts"];

const HTTP = ["test/http/**/*.test.ts"];
const SHOP = ["test/shop/http/**/*.test.ts"];

/**
 * Returns the tests for a runtime. CI leaves out the shop's HTTP tests, and on the Nodes and Bun also the machinery's: `npm run
 * check` runs both on the same Node, in the tests' process, and Bun serves with Node's adapter.
 */
function testsOn(name: string): string[] {
  if (!process.env.CI) return [...HTTP, ...SHOP, ...JOURNEYS];
  return name.endsWith("node") || name === "bun" ? JOURNEYS : [...HTTP, ...JOURNEYS];
}

/** Runs the tests over HTTP against the program on each runtime, and the tests of the platforms. */
export default defineConfig({
  root: fileURLToPath(new URL("../..", import.meta.url)),
  test: {
    globalSetup: ["test/support/server.ts", "test/runtimes/setup.ts"],
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...common,
          name: "platforms",
          include: ["test/runtimes/*.test.ts", "test/shop/runtimes/*.test.ts"],
        },
      },
      ...runtimeNames.map((name) => ({
        test: {
          ...common,
          name,
          include: testsOn(name),
          env: { TEST_RUNTIME: name },
          // The page in a browser, and the journeys under load, take minutes: CI has them in `npm run check` only.
          exclude: process.env.CI ? ["**/{docs-page,read-your-writes,fulfilment-interleaved}.test.ts"] : [],
          // The test files share only modules, and loading modules takes most of the time.
          isolate: false,
        },
      })),
    ],
  },
});
