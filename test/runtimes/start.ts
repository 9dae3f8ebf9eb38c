import { spawn } from "node:child_process";
import process from "node:process";
import { until } from "../support/until.ts";
import { type Entries, type Place, platforms, type Runtime, runtimes } from "./runtimes.ts";
import { freePort } from "../support/free-port.ts";

export interface Running {
  url: string;
  /** The process group of the program and its child processes. */
  group: number;
  /** Kills the process group at once. */
  stop(): Promise<void>;
}

const START_MS = 30_000;
/** Paths other than `/health`. On Supabase, a path begins with a function's name: any name will do. */
const HEALTH: Record<string, string> = { supabase: "/shop/health" };

/** Starts the program on a runtime and waits until the health check succeeds. */
export async function startOn(
  name: Runtime,
  settings: Record<string, string>,
  bundle: Place["bundle"],
  entries: Entries = "src",
): Promise<Running> {
  const port = await freePort();
  const databases = Object.entries(settings).filter(([variable]) => variable.endsWith("DATABASE_URL"))
    .map(([, url]) => new URL(url).host);
  const place = {
    entries,
    port,
    databases: [...new Set(databases)],
    settings,
    bundle,
  };
  const [program, ...args] = await { ...runtimes, ...platforms }[name](place);
  const { PATH, HOME } = process.env;
  const child = spawn(program!, args, {
    env: {
      PATH,
      HOME,
      ...settings,
      PORT: String(port),
      WORKER: JSON.stringify(bundle),
    },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (bytes) => output += bytes);
  }
  const ended = new Promise((resolve) => child.once("close", resolve));
  const url = `http://127.0.0.1:${port}`;
  await until(`${name} answers`, async () => {
    if (child.exitCode !== null) {
      throw new Error(`${name} ended, having printed: ${output}`);
    }
    return await fetch(`${url}${HEALTH[name] ?? "/health"}`).then(
      ({ ok }) => ok,
      () => false,
    );
  }, START_MS);
  return {
    url,
    group: child.pid!,
    async stop() {
      // Kills the whole group: workerd is a separate process.
      process.kill(-child.pid!, "SIGKILL");
      await ended;
    },
  };
}
