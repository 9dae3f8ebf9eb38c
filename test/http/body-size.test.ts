import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { describe, expect, it } from "vitest";
import { type Answer, toAnswer, useTestApp } from "../support/app.ts";
import { runtime } from "../support/runtime.ts";
import { expectProblem } from "../support/problem.ts";

const BODY_BYTES_MAX = 64 * 1024;
const CHUNK_BYTES = 16 * 1024;

const app = useTestApp();

/** The JSON of a jar, padded to the given bytes. */
const jarOf = (bytes: number) => JSON.stringify({ label: "é" }).padEnd(bytes - 1);

/** Sends a body over the network in chunks, without a length. */
async function postInChunks(text: string): Promise<Answer> {
  const sent = request(`${app.url}/jars`, {
    method: "POST",
    headers: { "content-type": "application/json" },
  });
  const answered = once(sent, "response") as Promise<[IncomingMessage]>;
  // The server may close the connection after the answer.
  sent.on("error", () => {});
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) sent.write(bytes.subarray(at, at + CHUNK_BYTES));
  sent.end();
  const [response] = await answered;
  const body = (await response.setEncoding("utf8").toArray()).join("");
  const headers = new Headers(response.headers as Record<string, string>);
  return await toAnswer(new Response(body, { status: response.statusCode!, headers }));
}

describe("A body of 64 KiB", () => {
  it("is taken, and one byte more is a problem", async () => {
    expect((await app.post("/jars", jarOf(BODY_BYTES_MAX))).status).toBe(201);
    expectProblem(await app.post("/jars", jarOf(BODY_BYTES_MAX + 1)), 413, "body-too-large");
  });

  it("is taken in chunks, and one byte more is a problem", async () => {
    expect((await postInChunks(jarOf(BODY_BYTES_MAX))).status).toBe(201);
    expectProblem(await postInChunks(jarOf(BODY_BYTES_MAX + 1)), 413, "body-too-large");
  });

  it("is taken with its length declared, and one byte more is a problem", async () => {
    const send = (body: string) =>
      fetch(`${app.url}/jars`, {
        method: "POST",
        body,
        headers: { "content-type": "application/json" },
      });
    expect((await send(jarOf(BODY_BYTES_MAX))).status).toBe(201);
    expectProblem(await toAnswer(await send(jarOf(BODY_BYTES_MAX + 1))), 413, "body-too-large");
  });

  it("is measured before anything else is said of it", async () => {
    const text = "x".repeat(BODY_BYTES_MAX + 1);
    expectProblem(await app.post("/jars", text, { "content-type": "text/plain" }), 413, "body-too-large");
    expectProblem(await app.post("/nowhere", text), 413, "body-too-large");
  });

  // Over the network, a client that is still sending may lose the answer: no fault of the server.
  it.skipIf(runtime)("is measured by what comes, where no length is declared", async () => {
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(CHUNK_BYTES).fill(0x20)),
    });
    const init = { method: "POST", body, duplex: "half", headers: { "content-type": "application/json" } };
    expectProblem(await toAnswer(await app.fetch("/jars", init as RequestInit)), 413, "body-too-large");
  });
});
