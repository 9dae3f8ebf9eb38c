import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterAll, beforeAll } from "vitest";

export interface Proxy {
  /** Returns the same URL through the proxy. */
  url(target: string): string;
  /** The number of round trips: changes of direction to "client to server". */
  roundTrips: number;
  /** The longest sequence of round trips, each begun after the previous reply, over all connections. */
  roundTripsInARow: number;
  /** The number of bytes, in both directions. */
  bytes: number;
  /** True: the proxy accepts bytes and drops all of them, in both directions. */
  blackHole: boolean;
  /** True: the proxy drops only the server's replies. The client's requests take effect. */
  loseReplies: boolean;
  /** The delay of bytes in each direction. */
  delayMs: number;
  /** Cuts every connection at once, with a reset (RST). */
  cut(): void;
  /** Ends every connection in good order (FIN). */
  finish(): void;
  /** Cuts every connection, and refuses new connections from now on. */
  close(): Promise<void>;
  /** Accepts connections again. */
  open(): Promise<void>;
}

/** Starts a TCP proxy in front of the database, to count round trips and to break connections. */
export function useProxy(target: () => string): Proxy {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const { hostname, port } = new URL(target());
    const upstream = connect(Number(port), hostname);
    let serverSpokeLast = true;
    let place = 0;
    client.on("data", (bytes) => {
      if (proxy.blackHole) return;
      proxy.bytes += bytes.length;
      if (serverSpokeLast) {
        proxy.roundTrips++;
        place = proxy.roundTripsInARow + 1;
      }
      serverSpokeLast = false;
      later(() => upstream.write(bytes));
    });
    upstream.on("data", (bytes) => {
      if (proxy.blackHole || proxy.loseReplies) return;
      proxy.bytes += bytes.length;
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
        // Bytes on the way arrive first.
        later(() => other.destroySoon());
      });
    }
  });
  // Bytes stay in order: timers of equal length fire in the order of their creation.
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
    bytes: 0,
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
