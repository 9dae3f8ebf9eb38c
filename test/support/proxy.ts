import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterAll, beforeAll } from "vitest";

export interface Proxy {
  /** The same URL, through the proxy. */
  url(target: string): string;
  /** How often the direction changed from client to server: the round trips. */
  roundTrips: number;
  /** The longest row of round trips that each began after the one before was answered, on whichever connections. */
  roundTripsInARow: number;
  /** Bytes are accepted and go nowhere, in both directions. */
  blackHole: boolean;
  /** Only what the server says is lost: what the client asked for takes effect. */
  loseReplies: boolean;
  /** How long bytes take on their way, each way. */
  delayMs: number;
  /** Cuts every connection at once, with a reset. */
  cut(): void;
  /** Ends every connection in good order (FIN). */
  finish(): void;
  /** Refuses new connections from now on, and cuts those there are. */
  close(): Promise<void>;
  /** Takes connections again. */
  open(): Promise<void>;
}

/** A TCP proxy in front of the database that counts and breaks things. */
export function useProxy(target: () => string): Proxy {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const { hostname, port } = new URL(target());
    const upstream = connect(Number(port), hostname);
    let serverSpokeLast = true;
    let place = 0;
    client.on("data", (bytes) => {
      if (proxy.blackHole) return;
      if (serverSpokeLast) {
        proxy.roundTrips++;
        place = proxy.roundTripsInARow + 1;
      }
      serverSpokeLast = false;
      later(() => upstream.write(bytes));
    });
    upstream.on("data", (bytes) => {
      if (proxy.blackHole || proxy.loseReplies) return;
      serverSpokeLast = true;
      later(() => {
        proxy.roundTripsInARow = Math.max(proxy.roundTripsInARow, place);
        client.write(bytes);
      });
    });
    for (const [one, other] of [[client, upstream], [upstream, client]] as const) {
      sockets.add(one);
      one.on("error", () => {}).on("close", () => {
        sockets.delete(one);
        // What is still on its way arrives first.
        later(() => other.destroySoon());
      });
    }
  });
  // Timers of the same length fire in the order in which they were set, so bytes stay in order.
  const later = (pass: () => void) => void (proxy.delayMs > 0 ? setTimeout(pass, proxy.delayMs) : pass());
  let port = 0;
  const open = () =>
    new Promise<void>((resolve) =>
      server.listen(port, "127.0.0.1", () => {
        port = (server.address() as AddressInfo).port;
        resolve();
      })
    );
  const proxy: Proxy = {
    roundTrips: 0,
    roundTripsInARow: 0,
    blackHole: false,
    loseReplies: false,
    delayMs: 0,
    cut: () => sockets.forEach((socket) => socket.resetAndDestroy()),
    finish: () => sockets.forEach((socket) => socket.end()),
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      proxy.cut();
      return closed;
    },
    open,
    url(target) {
      const url = new URL(target);
      url.host = `127.0.0.1:${port}`;
      return url.href;
    },
  };
  beforeAll(open);
  afterAll(() => {
    proxy.cut();
    server.close();
  });
  return proxy;
}
