import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll } from "vitest";
import type { DatabaseUrls } from "../../src/config.ts";
import { until } from "./until.ts";

export interface Program {
  readonly pid: number;
  /** What it has printed so far. */
  readonly output: string;
  /** Its exit code; a signal gives null. */
  readonly ended: Promise<number | null>;
  signal(signal: NodeJS.Signals): void;
  /** Waits until it has printed that, and answers the first group. */
  printed(pattern: RegExp): Promise<string>;
}

export interface ProgramOptions {
  /** The checkout it runs from. */
  root?: string;
  /** Settings; those of this process do not count. */
  settings?: Record<string, string>;
  /** Files to load before the program, from the root of this checkout. */
  preload?: string[];
}

const START_MS = 30_000;
const SETTINGS =
  /^(PORT|HOST|RELAY.*|PUBLISH.*|LOG_LEVEL|OPS_TOKEN|DATA_DIR|.*DATABASE.*_URL|NODE_OPTIONS|VITEST.*)$/;

/** Runs this project's program in a mode, on the runtime that the tests run on; killed after the test. */
export function usePrograms(): (mode: string, options?: ProgramOptions) => Program {
  const running = new Set<ChildProcess>();
  afterEach(async () => {
    for (const child of running) child.kill("SIGKILL");
    await until("every program has ended", () => running.size === 0);
  });
  return (mode, { root = ".", settings = {}, preload = [] } = {}) => {
    const [runtime, flag] = "Deno" in globalThis
      ? [["run", "--allow-all"], "--preload"]
      : [["--import", "tsx"], "--import"];
    const first = preload.flatMap((file) => [flag, pathToFileURL(resolve(file)).href]);
    const child = spawn(process.execPath, [...runtime, ...first, "src/main.ts", mode], {
      cwd: resolve(root),
      env: { ...inherited(), ...settings },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(child);
    child.once("exit", () => running.delete(child));
    return watchProgram(child);
  };
}

function inherited(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !SETTINGS.test(name)));
}

function watchProgram(child: ChildProcess): Program {
  let output = "";
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding("utf8").on("data", (text) => output += text);
  }
  // Not "exit": by then some of the output may still be on its way.
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return {
    pid: child.pid!,
    ended,
    get output() {
      return output;
    },
    // Not `child.kill`: with that, Deno takes the signal for the reason of the end, whatever the exit code.
    signal: (signal) => void process.kill(child.pid!, signal),
    async printed(pattern) {
      const found = await until(`it prints ${pattern}`, () => {
        if (child.exitCode !== null && !pattern.test(output)) {
          throw new Error(`It ended, having printed: ${output}`);
        }
        return output.match(pattern);
      }, START_MS);
      return found[1] ?? found[0];
    },
  };
}

export interface DataFolder {
  readonly path: string;
  /** The process id of the PostgreSQL whose files are in it; undefined when none runs. */
  postgres(): Promise<number | undefined>;
}

/** A folder for `DATA_DIR`; after the tests of the file, what still runs in it is stopped. */
export function useDataFolder(): DataFolder {
  let path = "";
  const postgres = async () => {
    const text = await readFile(join(path, "postgres", "postmaster.pid"), "utf8").catch(() => undefined);
    return text === undefined ? undefined : Number(text.split("\n")[0]);
  };
  beforeAll(async () => {
    path = await mkdtemp(join(tmpdir(), "cqrs-data-"));
    // PostgreSQL has to get at it when root runs the tests.
    await chmod(path, 0o711);
  });
  afterAll(async () => {
    const pid = await postgres();
    if (pid !== undefined) process.kill(pid, "SIGINT");
    await until("PostgreSQL has stopped", async () => await postgres() === undefined);
    await rm(path, { recursive: true, force: true });
  });
  return {
    postgres,
    get path() {
      return path;
    },
  };
}

/** The settings that name a database, with a login for each role. */
export function settingsOf({ owner, command, query, relay }: DatabaseUrls): Record<string, string> {
  return {
    PORT: "0",
    HOST: "127.0.0.1",
    LOG_LEVEL: "warning",
    DATABASE_URL: owner,
    COMMAND_DATABASE_URL: command,
    QUERY_DATABASE_URL: query,
    RELAY_DATABASE_URL: relay,
  };
}
