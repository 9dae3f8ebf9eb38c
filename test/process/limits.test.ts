import type { IncomingMessage } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { configureLogging, type LogRecord } from "../../src/logging.ts";
import { type ConnectionLimits, serve, type Serving } from "../../src/process/serve.ts";
import { connectRaw } from "../support/raw.ts";
import { until } from "../support/until.ts";

let serving: Serving | undefined;
afterEach(async () => {
  configureLogging("fatal", () => {});
  await serving?.stop();
});

const accepted: IncomingMessage[] = [];

/** Serves answers of the given size, after the whole body. */
async function serveBytes(bytes: number, limits: ConnectionLimits): Promise<string> {
  const answer = async (request: Request, incoming: IncomingMessage) => {
    accepted.push(incoming);
    await request.text().catch(() => {});
    return new Response(new Uint8Array(bytes));
  };
  serving = await serve(answer, "127.0.0.1", 0, { keepAliveMs: 200, ...limits });
  return serving.url;
}

describe("A server", () => {
  it.each([
    ["the head", "POST / HTTP/1.1\r\nHost: localhost\r\n"],
    ["the body", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"],
  ])("answers 408 to a client that sends %s bit by bit for too long", async (_, head) => {
    const raw = connectRaw(await serveBytes(1, { requestMs: 300 }));
    raw.send(head);
    const drip = setInterval(() => raw.send("x"), 50);
    const startedAt = performance.now();
    const answer = await raw.closed;
    clearInterval(drip);
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(answer).toContain(`"code":"request-timeout"`);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it("closes the connection of a client that does not read its answer", async () => {
    const raw = connectRaw(await serveBytes(32 * 1024 * 1024, { silentMs: 300 }));
    raw.socket.pause();
    raw.send("GET /unread HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const { socket } = await until("it is accepted", () => accepted.find(({ url }) => url === "/unread"));
    await until("it is closed", () => socket.destroyed);
    raw.socket.destroy();
  });

  it("goes on with a client that reads slowly", async () => {
    const bytes = 8 * 1024 * 1024;
    const raw = connectRaw(await serveBytes(bytes, { silentMs: 500 }));
    raw.send("GET /slow HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    const breaks = setInterval(() => raw.socket.isPaused() ? raw.socket.resume() : raw.socket.pause(), 100);
    expect((await raw.closed).length).toBeGreaterThan(bytes);
    clearInterval(breaks);
  });

  // Deno (2.9.5) does not tell of connections that are refused.
  it.skipIf("Deno" in globalThis)(
    "takes a bounded number of connections, and says in the log when there are more",
    async () => {
      const records: LogRecord[] = [];
      configureLogging("info", (record) => void records.push(record));
      const url = await serveBytes(1, { connectionsMax: 5 });
      const open = Array.from({ length: 5 }, () => connectRaw(url));
      for (const { send } of open) send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
      await until("all are answered", () => open.every(({ received }) => received !== ""));

      const more = await Promise.all(Array.from({ length: 20 }, () => connectRaw(url).closed));
      expect(new Set(more)).toEqual(new Set([""]));
      expect(records.map(({ level, message }) => `${level} ${message}`)).toEqual([
        "warn Refused a connection: 5 are open",
      ]);
      for (const { socket } of open) socket.destroy();
      await until("there is room", async () => await fetch(url).then(({ ok }) => ok, () => false));
    },
  );
});
