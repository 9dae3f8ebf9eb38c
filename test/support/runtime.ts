import process from "node:process";
import { afterAll, beforeAll, inject } from "vitest";
import type { DatabaseUrls } from "../../src/config.ts";
import type { Entries, Runtime } from "../runtimes/runtimes.ts";
import { type Running, startOn } from "../runtimes/start.ts";
import { settingsOf } from "./program.ts";

/** The program's runtime, in a separate process; undefined: the program runs in the process of the tests. */
export const runtime = process.env.TEST_RUNTIME as Runtime | undefined;

/** Runs the program for the tests of a file, on the given runtime, by default `TEST_RUNTIME`. */
export function useRuntime(
  urls: () => DatabaseUrls | Promise<DatabaseUrls>,
  settings: Record<string, string> | (() => Record<string, string>),
  { name = runtime!, entries = "src" }: { name?: Runtime; entries?: Entries } = {},
) {
  let running: Running;
  beforeAll(async () => {
    const own = typeof settings === "function" ? settings() : settings;
    running = await startOn(
      name,
      { ...settingsOf(await urls()), ...own },
      inject("workers")[entries],
      entries,
    );
  });
  afterAll(() => running?.stop());
  return {
    get url() {
      return running.url;
    },
    fetch: (path: string, init?: RequestInit) => fetch(running.url + path, { redirect: "manual", ...init }),
  };
}
