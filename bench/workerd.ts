import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Bundle } from "../test/runtimes/bundle.ts";
import { freePort } from "../test/runtimes/start.ts";

const WORKERD = fileURLToPath(new URL("../test/runtimes/node_modules/.bin/workerd", import.meta.url));

/** Starts workerd with nothing around it, as it runs at Cloudflare, and ends when it has answered for the first time. */
export async function startWorkerd({ file, options }: Bundle): Promise<{ stop(): Promise<void> }> {
  const port = await freePort();
  const config = join(dirname(file), "worker.capnp");
  await writeFile(config, toConfig(port, options));
  const child = spawn(WORKERD, ["serve", config], { stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  while (!await fetch(`http://127.0.0.1:${port}/health`).then(({ ok }) => ok, () => false)) {
    await setTimeout(1);
  }
  return {
    async stop() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

function toConfig(port: number, { compatibilityDate, compatibilityFlags }: Bundle["options"]): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "worker", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "worker")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "${compatibilityDate}",
  compatibilityFlags = ${JSON.stringify(compatibilityFlags)},
  bindings = [(name = "DATABASE_URL", text = "postgres://nobody@127.0.0.1:1/nothing"), (name = "LOG_LEVEL", text = "error")],
);
`;
}
