import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterAll, beforeAll } from "vitest";

export interface Proxy {
  /** The same URL, through the proxy. */
  url(target: string): string;
  /** How often the direction changed from client to server: the round trips. */
  roundTrips: number;
  /** Bytes are accepted and go nowhere, in both directions. */
  blackHole: boolean;
  /** Requests arrive, but what the server says goes nowhere. */
  mute: boolean;
  /** How long everything takes, each way. */
  delayMs: number;
  /** Cuts every connection at once. */
  cut(): void;
}

/** A TCP proxy in front of a server, such as the database, that counts and breaks things. */
export function useProxy(target: () => string): Proxy {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const { hostname, port } = new URL(target());
    const upstream = connect(Number(port), hostname);
    let serverSpokeLast = true;
    client.on("data", (bytes) => {
      if (proxy.blackHole) return;
      if (serverSpokeLast) proxy.roundTrips++;
      serverSpokeLast = false;
      pass(() => upstream.write(bytes));
    });
    upstream.on("data", (bytes) => {
      if (proxy.blackHole || proxy.mute) return;
      serverSpokeLast = true;
      pass(() => client.write(bytes));
    });
    for (const [one, other] of [[client, upstream], [upstream, client]] as const) {
      sockets.add(one);
      one.on("error", () => {}).on("close", () => {
        sockets.delete(one);
        pass(() => other.destroySoon());
      });
    }
  });
  const pass = (send: () => void) => proxy.delayMs > 0 ? void setTimeout(send, proxy.delayMs) : send();
  const proxy: Proxy = {
    roundTrips: 0,
    blackHole: false,
    mute: false,
    delayMs: 0,
    cut: () => sockets.forEach((socket) => socket.resetAndDestroy()),
    url(target) {
      const url = new URL(target);
      url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      return url.href;
    },
  };
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
  afterAll(() => {
    proxy.cut();
    server.close();
  });
  return proxy;
}
