import process from "node:process";
import type { DatabaseUrls } from "../src/config.ts";
import { startChild } from "./child.ts";

export interface Server {
  url: string;
  pid: number;
  stop(): Promise<void>;
}

export type Relay = Pick<Server, "pid" | "stop">;

/** The work of the relay beside the API: all work, none, or none but handlers. */
export type RelayMode = "on" | "off" | "views";

const settings = (urls: DatabaseUrls, relay: RelayMode) => ({
  DATABASE_URL: urls.owner,
  COMMAND_DATABASE_URL: urls.command,
  QUERY_DATABASE_URL: urls.query,
  RELAY_DATABASE_URL: urls.relay,
  DATABASE_DIRECT_URL: urls.direct,
  HOST: "127.0.0.1",
  PORT: "0",
  LOG_LEVEL: "error",
  RELAY: relay,
  RELAY_DELAY_MS: "0",
});

/** With `--profile`, the program writes a CPU profile at its end. */
const profiled = process.argv.includes("--profile") && !("Deno" in globalThis)
  ? { NODE_OPTIONS: "--cpu-prof --cpu-prof-dir=bench/results/profiles" }
  : {};

/** Starts the real server on a free port, API and relay in one process. */
export async function startServer(urls: DatabaseUrls, relay: RelayMode = "on"): Promise<Server> {
  const child = startChild("src/main.ts", ["start"], { ...settings(urls, relay), ...profiled });
  try {
    for (;;) {
      const url = /^Listening on (http:\S+)$/.exec(await child.nextLine())?.[1];
      if (url) return { url, pid: child.pid, stop: child.stop };
    }
  } catch (error) {
    await child.stop();
    throw error;
  }
}

/** Starts a relay of its own, for read models only. */
export function startRelay(urls: DatabaseUrls): Relay {
  return startChild("src/main.ts", ["relay"], { ...settings(urls, "views"), ...profiled });
}
