import { createAdaptorServer } from "@hono/node-server";
import type { Server } from "node:http";
import { type AddressInfo, Server as NetServer } from "node:net";

type Fetch = (request: Request) => Response | Promise<Response>;

export interface Serving {
  url: string;
  /** Takes no more connections, and ends after the answers to all accepted requests, or after ten seconds. */
  stop(): Promise<void>;
}

const KEEP_ALIVE_MS = 5_000;
const STOP_MS = 10_000;

/**
 * Serves HTTP on Node, Deno and Bun, and keeps idle connections alive for `keepAliveMs`.
 * @throws {Error} If the port is taken: set `PORT`.
 */
export async function serve(
  fetch: Fetch,
  hostname: string,
  port: number,
  keepAliveMs = KEEP_ALIVE_MS,
): Promise<Serving> {
  let stopping = false;
  const server = createAdaptorServer({
    async fetch(request) {
      const response = await fetch(request);
      if (stopping) response.headers.set("Connection", "close");
      return response;
    },
  }) as Server;
  server.keepAliveTimeout = keepAliveMs;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const reason = error.code === "EADDRINUSE" ? `port ${port} is taken; set PORT` : error.message;
      reject(new Error(`Cannot listen on ${hostname}:${port}: ${reason}`, { cause: error }));
    });
    server.listen(port, hostname, resolve);
  });
  const { port: boundPort } = server.address() as AddressInfo;
  return {
    url: `http://${hostname}:${boundPort}`,
    stop() {
      stopping = true;
      return close(server);
    },
  };
}

/**
 * Closes the server. An idle connection stays open for the announced time (`Keep-Alive: timeout=5`): the
 * client's next request may be on the way, and gets the connection's last answer.
 */
function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    // On Node, the server's own `close` closes idle connections at once. Other runtimes have no other
    // `close`.
    if (server instanceof NetServer) NetServer.prototype.close.call(server, () => resolve());
    else (server as Server).close(() => resolve());
  });
  const deadline = setTimeout(() => server.closeAllConnections(), STOP_MS);
  return closed.finally(() => clearTimeout(deadline));
}
