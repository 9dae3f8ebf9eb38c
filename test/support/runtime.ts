import process from "node:process";
import { afterAll, beforeAll, inject } from "vitest";
import type { DatabaseUrls } from "../../src/config.ts";
import type { Runtime } from "../runtimes/runtimes.ts";
import { type Running, startOn } from "../runtimes/start.ts";
import { settingsOf } from "./program.ts";

/** The runtime that the program is to be tested on, in a process of its own; none: in the process of the tests. */
export const runtime = process.env.TEST_RUNTIME as Runtime | undefined;

/** Runs the program for the tests of this file, on the runtime that is to be tested or on the one that is given. */
export function useRuntime(
  urls: () => DatabaseUrls | Promise<DatabaseUrls>,
  settings: Record<string, string> | (() => Record<string, string>),
  name = runtime!,
) {
  let running: Running;
  beforeAll(async () => {
    const own = typeof settings === "function" ? settings() : settings;
    running = await startOn(name, { ...settingsOf(await urls()), ...own }, inject("worker"));
  });
  afterAll(() => running?.stop());
  return {
    get url() {
      return running.url;
    },
    fetch: (path: string, init?: RequestInit) => fetch(running.url + path, { redirect: "manual", ...init }),
  };
}
