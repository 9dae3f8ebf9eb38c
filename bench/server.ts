import type { DatabaseUrls } from "../src/config.ts";
import { startChild } from "./child.ts";

export interface Server {
  url: string;
  stop(): Promise<void>;
}

/** Starts the real server, API and relay in one process, on a free port. */
export async function startServer(urls: DatabaseUrls): Promise<Server> {
  const child = startChild("src/main.ts", ["start"], {
    DATABASE_URL: urls.owner,
    COMMAND_DATABASE_URL: urls.command,
    QUERY_DATABASE_URL: urls.query,
    RELAY_DATABASE_URL: urls.relay,
    DATABASE_DIRECT_URL: urls.direct,
    HOST: "127.0.0.1",
    PORT: "0",
    LOG_LEVEL: "error",
    RELAY: "on",
    RELAY_DELAY_MS: "0",
  });
  try {
    for (;;) {
      const url = /^Listening on (http:\S+)$/.exec(await child.nextLine())?.[1];
      if (url) return { url, stop: child.stop };
    }
  } catch (error) {
    await child.stop();
    throw error;
  }
}
