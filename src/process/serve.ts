import { getRequestListener } from "@hono/node-server";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, Server as NetServer } from "node:net";
import { getLogger } from "../logging.ts";
import { answerUnreadable, toUnreadable } from "./unreadable.ts";

type Fetch = (request: Request, incoming: IncomingMessage) => Response | Promise<Response>;

export interface Serving {
  url: string;
  /** Takes no more connections, and ends after the answers to all accepted requests, or after ten seconds. */
  stop(): Promise<void>;
}

/** The limits of connections. What is left out has a default. */
export interface ConnectionLimits {
  /** The time before an idle connection is closed. */
  keepAliveMs?: number | undefined;
  /** The time for a request to arrive, head and body. */
  requestMs?: number | undefined;
  /** The time without a byte to or from the client, also while an answer is awaited: longer than any wait. */
  silentMs?: number | undefined;
  connectionsMax?: number | undefined;
}

const STOP_MS = 10_000;

const logger = getLogger("cqrs.http");

/**
 * Serves HTTP on Node, Deno and Bun, with limits for slow and silent clients.
 * @throws {Error} If the port is taken: set `PORT`.
 */
export async function serve(
  fetch: Fetch,
  hostname: string,
  port: number,
  limits: ConnectionLimits = {},
): Promise<Serving> {
  let stopping = false;
  const listener = getRequestListener(async (request, { incoming }) => {
    if (countHosts(incoming) > 1) return toUnreadable(new Error("More than one Host"));
    const response = await fetch(request, incoming as IncomingMessage);
    if (stopping) response.headers.set("Connection", "close");
    return response;
    // With a name to fall back on, HTTP/1.0 is answered, too: load balancers leave out `Host`.
  }, { hostname: "localhost", errorHandler: toUnreadable });
  const server = limited(limits, (incoming, outgoing) => {
    // The whole server, instead of a path.
    if (incoming.url === "*" && incoming.method === "OPTIONS") outgoing.writeHead(204).end();
    else void listener(incoming, outgoing);
  });
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

/** RFC 9112 wants one: a proxy in front may have looked at the other. */
function countHosts({ rawHeaders }: { rawHeaders: string[] }): number {
  return rawHeaders.filter((text, place) => place % 2 === 0 && text.toLowerCase() === "host").length;
}

function limited(
  { keepAliveMs = 5_000, requestMs = 30_000, silentMs = 60_000, connectionsMax = 10_000 }: ConnectionLimits,
  listener: Parameters<typeof createServer>[1],
): Server {
  const server = createServer({
    requestTimeout: requestMs,
    connectionsCheckingInterval: Math.min(requestMs, 1_000),
    keepAliveTimeout: keepAliveMs,
  }, listener);
  server.timeout = silentMs;
  server.maxConnections = connectionsMax;
  let warnedAt = -Infinity;
  return server.on("clientError", answerUnreadable).on("drop", () => {
    // Once a second: whoever opens too many connections could fill the log, too.
    if (performance.now() - warnedAt < 1_000) return;
    warnedAt = performance.now();
    logger.warn("Refused a connection: {connectionsMax} are open", { connectionsMax });
  });
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
