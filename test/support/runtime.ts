import { spawn } from "node:child_process";
import { createServer } from "node:net";
import process from "node:process";
import { afterAll, beforeAll, inject } from "vitest";
import type { DatabaseUrls } from "../../src/config.ts";
import { platforms, type Runtime, runtimes } from "../runtimes/runtimes.ts";
import { settingsOf } from "./program.ts";
import { until } from "./until.ts";

/** The runtime that the program is to be tested on, in a process of its own; none: in the process of the tests. */
export const runtime = process.env.TEST_RUNTIME as Runtime | undefined;

/** Under any name of a function: for Supabase. */
const HEALTH: Record<string, string> = { supabase: "/shop/health" };

export interface Running {
  url: string;
  stop(): Promise<void>;
}

/** Runs the program on the runtime for the tests of this file. */
export function useRuntime(
  urls: () => DatabaseUrls | Promise<DatabaseUrls>,
  settings: Record<string, string>,
) {
  let running: Running;
  beforeAll(async () => {
    running = await startOn(runtime!, { ...settingsOf(await urls()), ...settings });
  });
  afterAll(() => running?.stop());
  return {
    get url() {
      return running.url;
    },
    fetch: (path: string, init: RequestInit) => fetch(running.url + path, { redirect: "manual", ...init }),
  };
}

/** Starts the program on a runtime, and waits until it answers. */
export async function startOn(name: Runtime, settings: Record<string, string>): Promise<Running> {
  const port = await freePort();
  const [program, ...args] = { ...runtimes, ...platforms }[name]({
    port,
    database: new URL(settings.DATABASE_URL!).host,
  });
  const child = spawn(program!, args, {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      ...settings,
      PORT: String(port),
      WORKER: inject("worker"),
    },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => output += bytes);
  const ended = new Promise((resolve) => child.once("close", resolve));
  const url = `http://127.0.0.1:${port}`;
  await until(`${name} answers`, async () => {
    if (child.exitCode !== null) throw new Error(`${name} ended, having printed: ${output}`);
    return await fetch(`${url}${HEALTH[name] ?? "/health"}`).then(({ ok }) => ok, () => false);
  }, 30_000);
  return {
    url,
    async stop() {
      // With what it has started: workerd is a process of its own.
      process.kill(-child.pid!, "SIGKILL");
      await ended;
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject).listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? address!.port : 0));
    });
  });
}
