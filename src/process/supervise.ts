import { type ChildProcess, spawn } from "node:child_process";
import { watch } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const WATCHED = ["src", "migrations"];
const SETTLE_MS = 100;

/**
 * Runs the program in another mode as a child, again after every change of a source file. Ends when the
 * signal aborts, or when the child stops before the first change. Returns the child's exit code.
 */
export async function supervise(
  mode: string,
  environment: Record<string, string>,
  signal: AbortSignal,
): Promise<number> {
  for (let changed = false; !signal.aborted;) {
    const change = nextChange(signal);
    const child = run(mode, environment);
    const outcome = await Promise.race([exitOf(child), change]);
    if (!signal.aborted) {
      if (outcome !== "changed" && !changed) return outcome;
      console.log(outcome === "changed" ? "A file has changed: starting again" : "Waiting for a change");
    }
    // The child, if still running, stops at the end of standard input.
    child.stdin?.end();
    const code = await exitOf(child);
    if (signal.aborted) return code;
    if (outcome !== "changed") await change;
    changed = true;
  }
  return 0;
}

function run(mode: string, environment: Record<string, string>): ChildProcess {
  const runtime = "Deno" in globalThis ? ["run", "--allow-all"] : process.execArgv;
  const args = [...runtime, process.argv[1]!, mode];
  const options = { cwd: ROOT, env: { ...process.env, ...environment } };
  return spawn(process.execPath, args, { ...options, stdio: ["pipe", "inherit", "inherit"], detached: true });
}

function exitOf(child: ChildProcess): Promise<number> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once("exit", (code) => resolve(code ?? 1)));
}

/** Ends after a change without another change for 100 ms, or when the signal aborts. */
function nextChange(signal: AbortSignal): Promise<"changed"> {
  return new Promise((resolve) => {
    let settling: ReturnType<typeof setTimeout> | undefined;
    const watchers = WATCHED.map((folder) =>
      watch(`${ROOT}${folder}`, { recursive: true }, () => {
        clearTimeout(settling);
        settling = setTimeout(done, SETTLE_MS);
      })
    );
    const done = () => {
      watchers.forEach((watcher) => watcher.close());
      resolve("changed");
    };
    signal.addEventListener("abort", done, { once: true });
  });
}
