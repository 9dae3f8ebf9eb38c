import { type ChildProcess, spawn } from "node:child_process";
import { watch } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const WATCHED = ["src", "migrations"];
const SETTLE_MS = 100;

/**
 * Runs this program in another mode as a child, and again whenever a source file changes. Ends when the signal
 * aborts, or when the child stops by itself before it has been changed once; answers its exit code.
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
    // What is left of it ends when its standard input does.
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
  const args = [...runtime, fileURLToPath(new URL("../main.ts", import.meta.url)), mode];
  const options = { cwd: ROOT, env: { ...process.env, ...environment } };
  return spawn(process.execPath, args, { ...options, stdio: ["pipe", "inherit", "inherit"], detached: true });
}

function exitOf(child: ChildProcess): Promise<number> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once("exit", (code) => resolve(code ?? 1)));
}

/** Ends when a file has changed and no other has for a moment, or when the signal aborts. */
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
