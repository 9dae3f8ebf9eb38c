import { createAdaptorServer } from "@hono/node-server";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

type Fetch = (request: Request) => Response | Promise<Response>;

export interface Serving {
  url: string;
  /** Takes no more connections, and ends when every request that was accepted has its answer. */
  stop(): Promise<void>;
}

const STOP_MS = 10_000;

/** Serves HTTP on Node, Deno and Bun. @throws {Error} If the port is taken. */
export async function serve(fetch: Fetch, hostname: string, port: number): Promise<Serving> {
  let stopping = false;
  const server = createAdaptorServer({
    async fetch(request) {
      const response = await fetch(request);
      if (stopping) response.headers.set("Connection", "close");
      return response;
    },
  }) as Server;
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

function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection that is kept alive and idle would keep the server open.
  const sweeper = setInterval(() => server.closeIdleConnections(), 50);
  const deadline = setTimeout(() => server.closeAllConnections(), STOP_MS);
  return closed.finally(() => {
    clearInterval(sweeper);
    clearTimeout(deadline);
  });
}
