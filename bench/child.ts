import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A program of the repository in a separate process, in the runtime of the benchmark. */
export interface Child {
  /** Returns the next line of standard output. @throws {Error} If the program ends instead. */
  nextLine(): Promise<string>;
  write(line: string): void;
  pid: number;
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

const ROOT = new URL("../", import.meta.url);

/** Starts a program; `file` is relative to the root of the repository. */
export function startChild(
  file: string,
  args: string[] = [],
  environment: Record<string, string> = {},
): Child {
  const runtime = "Deno" in globalThis ? ["run", "--allow-all"] : process.execArgv;
  const child = spawn(process.execPath, [...runtime, fileURLToPath(new URL(file, ROOT)), ...args], {
    env: { ...process.env, ...environment },
    stdio: ["pipe", "pipe", "inherit"],
  });
  running.add(child);
  child.on("exit", () => running.delete(child));
  child.stdin.on("error", () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async nextLine() {
      const { value, done } = await lines.next();
      if (done) throw new Error(`Cannot go on: ${file} has ended`);
      return value;
    },
    pid: child.pid!,
    write: (line) => void child.stdin.write(`${line}\n`),
    stop: () => stop(child),
  };
}

const STOP_MS = 15_000;

async function stop(child: ChildProcess): Promise<void> {
  if (!running.has(child)) return;
  const kill = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  const ended = once(child, "exit");
  child.stdin?.end();
  child.kill("SIGTERM");
  await ended;
  clearTimeout(kill);
}
