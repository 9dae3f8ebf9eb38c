import { spawn } from "node:child_process";
import process from "node:process";
import { afterEach } from "vitest";
import type { DatabaseUrls } from "../../../../src/config.ts";
import { until } from "../../../support/until.ts";

export interface RelayProgram {
  readonly pid: number;
  /** Returns the signal or the exit code of the end; undefined while the relay runs. */
  ended(): string | number | undefined;
  signal(signal: NodeJS.Signals): void;
}

/** Returns a function that runs `relay-program.ts` in a new process, until the end of the test. */
export function useRelayPrograms(): (
  urls: DatabaseUrls,
  environment?: Record<string, string>,
) => RelayProgram {
  const running = new Set<RelayProgram>();
  afterEach(async () => {
    for (const program of running) program.signal("SIGKILL");
    await until(
      "every relay has ended",
      () => [...running].every((program) => program.ended() !== undefined),
    );
    running.clear();
  });
  return ({ command, relay }, environment = {}) => {
    const runtime = "Deno" in globalThis ? ["run", "--allow-all"] : ["--import", "tsx"];
    const child = spawn(process.execPath, [...runtime, "test/shop/faults/support/relay-program.ts"], {
      env: { ...process.env, COMMAND_DATABASE_URL: command, RELAY_DATABASE_URL: relay, ...environment },
      stdio: ["ignore", "ignore", "inherit"],
    });
    let end: string | number | undefined;
    child.once("exit", (code, signal) => end = signal ?? code ?? 0);
    const program: RelayProgram = {
      pid: child.pid!,
      ended: () => end,
      signal: (signal) => end === undefined && void process.kill(child.pid!, signal),
    };
    running.add(program);
    return program;
  };
}
