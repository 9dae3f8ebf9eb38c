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
  /** The text printed up to now. */
  readonly output: string;
  /** The exit code; null after a signal. */
  readonly ended: Promise<number | null>;
  signal(signal: NodeJS.Signals): void;
  /** Waits until the output matches, and returns the first group, or the match without groups. */
  printed(pattern: RegExp): Promise<string>;
}

export interface ProgramOptions {
  /** The checkout of the program. */
  root?: string;
  /** All settings: the settings of this process have no effect. */
  settings?: Record<string, string>;
  /** The program's entry: `src/main.ts` by default. */
  entry?: string;
  /** Files to load before the program, as paths from the root of this checkout. */
  preload?: string[];
}

const START_MS = 30_000;
const SETTINGS =
  /^(PORT|HOST|RELAY.*|PUBLISH.*|LOG_LEVEL|OPS_TOKEN|DATA_DIR|.*DATABASE.*_URL|NODE_OPTIONS|VITEST.*)$/;

/** Returns a function that runs the program in a mode, on the tests' runtime; killed after the test. */
export function usePrograms(): (mode: string, options?: ProgramOptions) => Program {
  const running = new Set<ChildProcess>();
  afterEach(async () => {
    for (const child of running) child.kill("SIGKILL");
    await until("every program has ended", () => running.size === 0);
  });
  return (mode, { root = ".", entry = "src/main.ts", settings = {}, preload = [] } = {}) => {
    const [runtime, flag] = "Deno" in globalThis
      ? [["run", "--allow-all"], "--preload"]
      : [["--import", "tsx"], "--import"];
    const first = preload.flatMap((file) => [flag, pathToFileURL(resolve(file)).href]);
    const child = spawn(process.execPath, [...runtime, ...first, entry, mode], {
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
  // Not "exit": output may still arrive after "exit".
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return {
    pid: child.pid!,
    ended,
    get output() {
      return output;
    },
    // Not `child.kill`: Deno would then report the signal as the reason of the end, despite an exit code.
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
  /** Returns the process id of the PostgreSQL running in the folder; undefined if none runs. */
  postgres(): Promise<number | undefined>;
}

/** Creates a folder for `DATA_DIR`. After the file's tests, a PostgreSQL still running inside is stopped. */
export function useDataFolder(): DataFolder {
  let path = "";
  const postgres = async () => {
    const text = await readFile(join(path, "postgres", "postmaster.pid"), "utf8").catch(() => undefined);
    return text === undefined ? undefined : Number(text.split("\n")[0]);
  };
  beforeAll(async () => {
    path = await mkdtemp(join(tmpdir(), "cqrs-data-"));
    // When root runs the tests, PostgreSQL runs as another user and needs access.
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

/** Returns the settings for a database, with a login for each role. */
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
