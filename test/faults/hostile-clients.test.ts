import { readFile } from "node:fs/promises";
import { beforeEach, describe, expect, it } from "vitest";
import { useTestDatabase } from "../support/database.ts";
import { type Program, settingsOf, usePrograms } from "../support/program.ts";
import { connectRaw } from "../support/raw.ts";
import { until } from "../support/until.ts";

const READERS = 500;
const GROWTH_MB_MAX = 100;
const BODIES = 10;
const BODY_BYTES = 64 * 1024;
const HEALTH_MS_MAX = 2_000;
const SLOW_MS_MAX = 35_000;
const CONNECTIONS = 5_000;

describe("The program, as in production,", () => {
  const database = useTestDatabase({ jars: true });
  const run = usePrograms();
  let program: Program;
  let url: string;
  beforeEach(async () => {
    program = run("start", {
      entry: "test/jars/main.ts",
      settings: { ...settingsOf(database.urls), RELAY: "off" },
    });
    url = await program.printed(/Listening on (\S+)/);
  });

  it.skipIf(process.platform !== "linux")("holds a large file once, for however many readers", async () => {
    const file = "/docs/swagger-ui-bundle.js";
    await (await fetch(url + file)).arrayBuffer();
    const before = await residentMbOf(program.pid);
    const readers = Array.from({ length: READERS }, () => connectRaw(url));
    for (const { send } of readers) send(`GET ${file} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await until("all have begun to read", () =>
      readers.every(({ socket, received }) => {
        if (received !== "") socket.pause();
        return received !== "";
      }), 30_000);
    const growthMb = Math.round(await residentMbOf(program.pid) - before);
    console.log(`${READERS} readers who stop reading: ${growthMb} MB more`);
    for (const { socket } of readers) socket.destroy();
    expect(growthMb).toBeLessThan(GROWTH_MB_MAX);
  });

  it("answers others while clients send as much wrong JSON as they may", async () => {
    const numbers = `{"label":[${"1,".repeat(BODY_BYTES / 2 - 10)}1]}`;
    const fields = Array.from({ length: 6_000 }, (_, index) => `"f${index}":1`).join();
    const bodies = [numbers, `{${fields}}`];
    let sending = true;
    const clients = Array.from({ length: BODIES }, async (_, index) => {
      for (let sent = 0; sending || sent === 0; sent++) {
        const headers = { "Content-Type": "application/json" };
        const answer = await fetch(`${url}/jars`, { method: "POST", headers, body: bodies[index % 2]! });
        expect(answer.status).toBe(400);
        expect((await answer.text()).length).toBeLessThan(1_500);
      }
    });
    const slowestMs = await slowestOf(url, 50);
    sending = false;
    await Promise.all(clients);
    console.log(`/health took ${slowestMs} ms at most, beside ${BODIES} senders of ${BODY_BYTES / 1024} KB`);
    expect(slowestMs).toBeLessThan(HEALTH_MS_MAX);
  });

  it("gives a request thirty seconds to arrive", async () => {
    const raw = connectRaw(url);
    raw.send("POST /jars HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n");
    const drip = setInterval(() => raw.send("x"), 1_000);
    const startedAt = performance.now();
    expect(await raw.closed).toMatch(/^HTTP\/1.1 408 /);
    clearInterval(drip);
    expect(performance.now() - startedAt).toBeLessThan(SLOW_MS_MAX);
  });

  it("answers beside 5,000 open connections", async () => {
    const open = Array.from({ length: CONNECTIONS }, () => connectRaw(url));
    await until("all are open", () => open.every(({ socket }) => !socket.connecting), 30_000);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    for (const { socket } of open) socket.destroy();
  });
});

async function residentMbOf(pid: number): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, "utf8"))![1]) / 1_024;
}

/** Returns the longest time of an answer of `/health`, in milliseconds. */
async function slowestOf(url: string, times: number): Promise<number> {
  let slowestMs = 0;
  for (let count = 0; count < times; count++) {
    const startedAt = performance.now();
    await (await fetch(`${url}/health`)).text();
    slowestMs = Math.max(slowestMs, performance.now() - startedAt);
  }
  return Math.round(slowestMs);
}
